package dev.holdfast.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.dynamic.scaffold.TypeValidation;
import net.bytebuddy.pool.TypePool;
import org.jspecify.annotations.Nullable;

/**
 * A copy of the library and of one package that uses it, loaded a second time, with a bug woven
 * into the former on its way in. All other classes stay as they are.
 */
public final class WovenLibrary extends ClassLoader {
  private static final String LIBRARY = "dev.holdfast.lock.";

  private final String user;
  private final Weaving weaving;
  private final ClassLoader original = WovenLibrary.class.getClassLoader();
  private final ClassFileLocator locator = ClassFileLocator.ForClassLoader.of(original);
  private final TypePool types = TypePool.Default.of(locator);

  /** How the library is changed. */
  @FunctionalInterface
  public interface Weaving {
    /**
     * Changes one class, or returns the builder as it is.
     *
     * @param part the class, such as {@code Engine} or {@code internal.Batcher}
     */
    DynamicType.Builder<?> weave(String part, DynamicType.Builder<?> builder);
  }

  /**
   * A copy.
   *
   * @param user a class of the package that is copied too
   */
  public WovenLibrary(Class<?> user, Weaving weaving) {
    super(WovenLibrary.class.getClassLoader());
    this.user = user.getPackageName() + ".";
    this.weaving = weaving;
  }

  /**
   * Calls a static method of the copy.
   *
   * @param entryPoint the original of the class, which has one method of that name
   * @param arguments of classes that are not copied
   * @throws AssertionError if the method throws
   */
  public @Nullable Object call(Class<?> entryPoint, String method, Object... arguments) {
    try {
      Method entry =
          Arrays.stream(loadClass(entryPoint.getName()).getDeclaredMethods())
              .filter(each -> each.getName().equals(method))
              .findFirst()
              .orElseThrow();
      entry.setAccessible(true);
      return entry.invoke(null, arguments);
    } catch (InvocationTargetException e) {
      throw new AssertionError("the bug breaks the test itself", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("the copy is not like the original", e);
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(LIBRARY) && !name.startsWith(user)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded == null) {
        byte[] bytes = name.startsWith(LIBRARY) ? woven(name) : original(name);
        loaded = defineClass(name, bytes, 0, bytes.length);
      }
      return loaded;
    }
  }

  private byte[] woven(String name) throws ClassNotFoundException {
    DynamicType.Builder<?> unchanged =
        new ByteBuddy()
            .with(TypeValidation.DISABLED)
            .redefine(types.describe(name).resolve(), locator);
    DynamicType.Builder<?> changed = weaving.weave(name.substring(LIBRARY.length()), unchanged);
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
