package dev.holdfast.chaos.sim;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.dynamic.scaffold.TypeValidation;
import net.bytebuddy.pool.TypePool;
import org.jspecify.annotations.Nullable;

/**
 * A copy of the library and of the simulator, loaded a second time, with a bug woven into the
 * former on its way in. All other classes stay as they are.
 */
final class BuggyLibrary extends ClassLoader {
  private static final String LIBRARY = "dev.holdfast.lock.";
  private static final String SIMULATOR = "dev.holdfast.chaos.sim.";

  private final EngineBug bug;
  private final ClassLoader original = BuggyLibrary.class.getClassLoader();
  private final ClassFileLocator locator = ClassFileLocator.ForClassLoader.of(original);
  private final TypePool types = TypePool.Default.of(locator);

  BuggyLibrary(EngineBug bug) {
    super(BuggyLibrary.class.getClassLoader());
    this.bug = bug;
  }

  /**
   * Runs one seed with the bug.
   *
   * @return the violation, or null
   */
  @Nullable String run(long seed, SimScenario scenario) {
    return inside("violation", seed, scenario.name());
  }

  /**
   * Tries all schedules of a small world with the bug, without faults.
   *
   * @return the violation, or null
   */
  @Nullable String explore(SmallWorld.Beginning beginning, long free) {
    return inside("smallViolation", free, beginning.name());
  }

  private @Nullable String inside(String method, long number, String name) {
    try {
      Method run =
          loadClass(Inside.class.getName()).getDeclaredMethod(method, long.class, String.class);
      run.setAccessible(true);
      return (String) run.invoke(null, number, name);
    } catch (InvocationTargetException e) {
      throw new AssertionError(bug + " breaks the simulator", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("the copy is not like the original", e);
    }
  }

  /** Entry points that are called through reflection, in the copy. */
  static final class Inside {
    private Inside() {}

    static @Nullable String violation(long seed, String scenario) {
      InvariantViolation violation =
          SimRun.of(seed, SimScenario.valueOf(scenario).faults(), Planted.NOTHING, false)
              .violation();
      return violation == null ? null : violation.getMessage();
    }

    static @Nullable String smallViolation(long free, String beginning) {
      InvariantViolation violation =
          ScheduleSearch.of(SmallWorld.Beginning.valueOf(beginning), (int) free, 0, Planted.NOTHING)
              .explore()
              .violation();
      return violation == null ? null : violation.getMessage();
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(LIBRARY) && !name.startsWith(SIMULATOR)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded == null) {
        byte[] bytes = name.startsWith(LIBRARY) ? planted(name) : original(name);
        loaded = defineClass(name, bytes, 0, bytes.length);
      }
      return loaded;
    }
  }

  private byte[] planted(String name) throws ClassNotFoundException {
    DynamicType.Builder<?> unchanged =
        new ByteBuddy()
            .with(TypeValidation.DISABLED)
            .redefine(types.describe(name).resolve(), locator);
    DynamicType.Builder<?> changed = bug.plant(name.substring(LIBRARY.length()), unchanged);
    return changed == unchanged ? original(name) : changed.make().getBytes();
  }

  private byte[] original(String name) throws ClassNotFoundException {
    try (InputStream bytes = original.getResourceAsStream(name.replace('.', '/') + ".class")) {
      if (bytes == null) {
        throw new ClassNotFoundException(name);
      }
      return bytes.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
