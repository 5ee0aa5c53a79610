package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.memory.InMemoryLockStore;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A manager that applications of a server share, and that outlives them. */
@Timeout(120)
class UndeployedApplicationTest {
  private static final int COLLECTIONS = 50;

  /** Code of an application. */
  public static final class Application implements Consumer<LockManager> {
    @Override
    public void accept(LockManager locks) {
      assertThat(locks.acquireAsync("x").join().release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  /** Loads that class, and leaves all others to its parent. */
  private static final class ApplicationLoader extends ClassLoader {
    ApplicationLoader() {
      super(Application.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.equals(Application.class.getName())) {
        return super.loadClass(name, resolve);
      }
      String file = name.replace('.', '/') + ".class";
      try (InputStream in = Application.class.getClassLoader().getResourceAsStream(file)) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static WeakReference<ClassLoader> deployed(LockManager locks) throws Exception {
    ClassLoader loader = new ApplicationLoader();
    Class<?> application = loader.loadClass(Application.class.getName());
    assertThat(application).isNotEqualTo(Application.class);
    ((Consumer<LockManager>) application.getConstructor().newInstance()).accept(locks);
    return new WeakReference<>(loader);
  }

  /** The manager's threads begin with the first call, whose stack has the application's classes. */
  @Test
  void application_thatWasTheFirstToUseAManager_canBeCollected() throws Exception {
    try (LockManager locks = LockManager.create(new InMemoryLockStore())) {
      WeakReference<ClassLoader> application = deployed(locks);
      for (int i = 0; i < COLLECTIONS && application.get() != null; i++) {
        System.gc();
        Thread.sleep(20);
      }

      assertThat(application.get()).isNull();
      assertThat(Thread.getAllStackTraces().keySet())
          .as("threads of the manager")
          .anyMatch(thread -> thread.getName().equals("holdfast-timer"));
    }
  }
}
