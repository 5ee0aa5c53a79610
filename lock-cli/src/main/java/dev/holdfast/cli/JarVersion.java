package dev.holdfast.cli;

import picocli.CommandLine;

/** Provides the version of the jar; "(not released)" when the classes do not come from one. */
final class JarVersion implements CommandLine.IVersionProvider {
  @Override
  public String[] getVersion() {
    String version = JarVersion.class.getPackage().getImplementationVersion();
    return new String[] {"holdfast " + (version == null ? "(not released)" : version)};
  }
}
