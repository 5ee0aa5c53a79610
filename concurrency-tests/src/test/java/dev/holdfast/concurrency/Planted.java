package dev.holdfast.concurrency;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The fault that a stress test has, and must show. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface Planted {
  Plant value();
}
