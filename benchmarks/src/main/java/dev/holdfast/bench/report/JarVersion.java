package dev.holdfast.bench.report;

import picocli.CommandLine;

/** Provides the version of the jar; "(not released)" when the classes do not come from one. */
public final class JarVersion implements CommandLine.IVersionProvider {
  @Override
  public String[] getVersion() {
    String version = JarVersion.class.getPackage().getImplementationVersion();
    return new String[] {"benchmarks " + (version == null ? "(not released)" : version)};
  }
}
