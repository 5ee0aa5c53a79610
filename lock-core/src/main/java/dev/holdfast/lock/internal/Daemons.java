package dev.holdfast.lock.internal;

import java.security.AccessController;
import java.security.PrivilegedAction;

/**
 * Threads with nothing of the one that happens to make them: neither its inheritable thread-locals,
 * nor its context class loader, nor the access control context of its stack (up to Java 23 a thread
 * keeps that, and with it the class loaders of all callers). Each would keep an application in
 * memory that was undeployed.
 */
public final class Daemons {
  private Daemons() {}

  /** Runs the task on a new daemon thread of that name. */
  public static void start(String name, Runnable task) {
    daemon(name, task).start();
  }

  /** A daemon thread of that name, not started. */
  @SuppressWarnings("removal") // There is no other way to make a thread without its maker's stack.
  public static Thread daemon(String name, Runnable task) {
    PrivilegedAction<Thread> make = () -> new Thread(null, task, name, 0, false);
    Thread thread = AccessController.doPrivileged(make);
    thread.setDaemon(true);
    thread.setContextClassLoader(Daemons.class.getClassLoader());
    return thread;
  }
}
