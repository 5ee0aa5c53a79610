package dev.holdfast.lock.kotlin

import dev.holdfast.lock.LockAcquisitionException
import dev.holdfast.lock.LockManager
import dev.holdfast.lock.LockOptions
import dev.holdfast.lock.memory.InMemoryLockStore
import java.io.IOException
import java.time.Duration
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatThrownBy
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** The API as Kotlin sees it: each call has one overload, and nothing is null that is not said to be. */
@Timeout(120)
class KotlinCallsTest {
  private val store = InMemoryLockStore()
  private val locks = LockManager.create(store)
  private val patient = LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(10))
  private val ran = mutableListOf<String>()

  @AfterEach
  fun close() {
    locks.close()
  }

  private fun reindex() {
    ran += "reindex"
  }

  private fun cleanUp() {
    ran += "cleanUp"
  }

  private fun export(): Int = 42

  @Test
  fun calls_withTypeArguments_resolveToOneOverload() {
    locks.withLock<Exception>("nightly-reindex") { reindex() }
    val written = locks.withLock<Int, Exception>("export", patient) { export() }
    val cleaned = locks.tryWithLock<Exception>("hourly-cleanup") { cleanUp() }

    assertThat(ran).containsExactly("reindex", "cleanUp")
    assertThat(written + 1).isEqualTo(43)
    assertThat(cleaned).isTrue()
  }

  @Test
  fun calls_withTheLease_resolveToOneOverload() {
    val id: String = locks.withLease<String, Exception>("x") { lease -> lease.lockId() }
    locks.runWithLease<Exception>("y", patient) { lease -> ran += lease.lockId() }

    assertThat(id).isEqualTo("x")
    assertThat(ran).containsExactly("y")
  }

  @Test
  fun functionsOfTheGuide_needNoTypeArguments() {
    locks.locked("nightly-reindex") { reindex() }
    val written = locks.locked("export", patient) { lease ->
      lease.ensureHeld(Duration.ofSeconds(5))
      export()
    }
    val cleaned = locks.tryLocked("hourly-cleanup") { cleanUp() }

    assertThat(ran).containsExactly("reindex", "cleanUp")
    assertThat(written + 1).isEqualTo(43)
    assertThat(cleaned).isTrue()
  }

  @Test
  fun functionsOfTheGuide_whenAnotherHoldsTheLock_skipOrThrow() {
    LockManager.create(store).use { other ->
      other.locked("x") {
        assertThat(locks.tryLocked("x") { reindex() }).isFalse()
        assertThat(locks.tryLocked("x", LockOptions.defaults()) { reindex() }).isFalse()
        assertThatThrownBy { locks.locked("x") { reindex() } }
          .isInstanceOf(LockAcquisitionException::class.java)
      }
    }

    assertThat(ran).isEmpty()
  }

  @Test
  fun body_thatThrows_throwsTheSame() {
    val failure = IOException("of the body")

    assertThatThrownBy { locks.locked("x") { throw failure } }.isSameAs(failure)
  }

  // --- Nullness

  // Of a value that the API says is never null, or of which it says nothing.
  private fun nullness(@Suppress("unused") value: Any) = "not null"

  @JvmName("nullnessOfNullable")
  private fun nullness(@Suppress("unused") value: Any?) = "nullable"

  @Test
  fun nullness_isAsTheApiSays() {
    val nothing: String? = locks.withLock<String?, Exception>("x") { null }
    locks.acquire("x").use { lease ->
      val info = locks.find("x").orElseThrow()

      assertThat(nullness(lease.token())).isEqualTo("not null")
      assertThat(nullness(info.owner())).isEqualTo("not null")
      assertThat(nullness(info.expiresAt())).isEqualTo("nullable")
      assertThat(nullness(info.createdAt())).isEqualTo("nullable")
    }
    assertThat(nothing).isNull()
  }
}
