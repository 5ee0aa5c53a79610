package dev.holdfast.concurrency;

import dev.holdfast.lock.Parking;
import dev.holdfast.lock.internal.Daemons;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.commons.ClassRemapper;
import org.objectweb.asm.commons.SimpleRemapper;
import org.objectweb.asm.tree.AbstractInsnNode;
import org.objectweb.asm.tree.ClassNode;
import org.objectweb.asm.tree.FieldInsnNode;
import org.objectweb.asm.tree.InsnList;
import org.objectweb.asm.tree.InsnNode;
import org.objectweb.asm.tree.IntInsnNode;
import org.objectweb.asm.tree.JumpInsnNode;
import org.objectweb.asm.tree.LabelNode;
import org.objectweb.asm.tree.MethodInsnNode;
import org.objectweb.asm.tree.MethodNode;
import org.objectweb.asm.tree.TypeInsnNode;
import org.objectweb.asm.tree.VarInsnNode;

/**
 * Weaves the faults of {@link Plant} into the classes of the library, before they are loaded: once
 * in a JVM. Lincheck reads a class once in a JVM, so all faults are woven in together, each behind
 * a question whether it takes effect. Only how fields are declared, and fences, cannot be asked
 * about: for those, a JVM is begun with the one that takes effect.
 *
 * <p>A fault that finds nothing to change any more is an error.
 */
final class Weaver {
  private static final String LOCK = "dev/holdfast/lock/";
  private static final String PLANT = Type.getInternalName(Plant.class);
  private static final String PARKING = Type.getInternalName(Parking.class);
  private static final String LOCK_SUPPORT = "java/util/concurrent/locks/LockSupport";

  private final Map<String, ClassNode> classes = new LinkedHashMap<>();

  private Weaver() {}

  /**
   * Loads the classes of the library with all faults woven in.
   *
   * @param effective which is to take effect, until {@link Plant#take} says otherwise; null if none
   */
  static void install(@Nullable Plant effective) {
    Weaver weaver = new Weaver();
    weaver.weave(effective);
    weaver.load();
    Plant.take(effective);
  }

  /** A store in memory that is not synchronized: a copy of the class, under another name. */
  static LockStore unsynchronizedStore() {
    try {
      return (LockStore) Unsynchronized.CLASS.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("no store", e);
    }
  }

  private static final class Unsynchronized {
    static final Class<?> CLASS = define();

    private static Class<?> define() {
      ClassNode node = new ClassNode();
      String name = Type.getInternalName(InMemoryLockStore.class);
      new ClassReader(bytesOf(name))
          .accept(
              new ClassRemapper(
                  node, new SimpleRemapper(Opcodes.ASM9, Map.of(name, name + "Unsynchronized"))),
              0);
      node.methods.forEach(method -> method.access &= ~Opcodes.ACC_SYNCHRONIZED);
      ClassWriter writer = new ClassWriter(0);
      node.accept(writer);
      try {
        return MethodHandles.privateLookupIn(InMemoryLockStore.class, MethodHandles.lookup())
            .defineClass(writer.toByteArray());
      } catch (IllegalAccessException e) {
        throw new LinkageError("no access to the library's package", e);
      }
    }
  }

  private static byte[] bytesOf(String name) {
    try (InputStream in = Weaver.class.getResourceAsStream("/" + name + ".class")) {
      if (in == null) {
        throw new LinkageError("no class " + name);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ClassNode node(String name) {
    return classes.computeIfAbsent(
        LOCK + name,
        key -> {
          ClassNode node = new ClassNode();
          new ClassReader(bytesOf(key)).accept(node, 0);
          return node;
        });
  }

  private void load() {
    classes.forEach(
        (name, node) -> {
          ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
          node.accept(writer);
          Class<?> neighbour = name.startsWith(LOCK + "internal/") ? Daemons.class : Parking.class;
          try {
            MethodHandles.privateLookupIn(neighbour, MethodHandles.lookup())
                .defineClass(writer.toByteArray());
          } catch (IllegalAccessException e) {
            throw new LinkageError("no access to the library's package", e);
          }
        });
  }

  private void weave(@Nullable Plant effective) {
    serialExecutor();
    timerThread(effective);
    batcher();
    cancellableFuture(effective);
    acquisition(effective);
    leases();
    queues();
  }

  private void serialExecutor() {
    String type = "SerialExecutor";
    for (MethodInsnNode call : calls(type, "execute", "compareAndSet")) {
      replace(
          type,
          call,
          Plant.SERIAL_RUNS_TWO_AT_ONCE,
          "compareAndSet",
          "(Ljava/util/concurrent/atomic/AtomicIntegerFieldUpdater;Ljava/lang/Object;III)Z");
    }
    MethodNode execute = method(type, "execute");
    // The jump back to the question whether there are tasks.
    JumpInsnNode again = (JumpInsnNode) last(execute, insn -> insn.getOpcode() == Opcodes.GOTO);
    AbstractInsnNode end = last(execute, insn -> insn.getOpcode() == Opcodes.RETURN);
    execute.instructions.insertBefore(
        again, jumpIf(Plant.SERIAL_DOES_NOT_LOOK_AGAIN, labelBefore(end)));
  }

  private void timerThread(@Nullable Plant effective) {
    String type = "TimerThread";
    for (MethodInsnNode call : calls(type, "sleepUntil", "first")) {
      InsnList after = ask("orNull", Plant.TIMER_DOES_NOT_LOOK_AGAIN, Object.class);
      after.add(
          new TypeInsnNode(Opcodes.CHECKCAST, Type.getReturnType(call.desc).getInternalName()));
      method(type, "sleepUntil").instructions.insert(call, after);
    }
    for (MethodNode method : node(type).methods) {
      for (AbstractInsnNode insn : method.instructions.toArray()) {
        if (insn instanceof MethodInsnNode call) {
          if (call.owner.equals(LOCK_SUPPORT) || call.owner.equals(LOCK + "Defaults")) {
            call.owner = PARKING;
          } else if (effective == Plant.TIMER_HAS_NO_FENCES && call.name.equals("fullFence")) {
            method.instructions.remove(call);
          }
        }
      }
    }
    if (effective == Plant.TIMER_HAS_NO_FENCES) {
      makePlain(type, "wakeAtNanos");
    }
  }

  private void batcher() {
    String type = "internal/Batcher";
    int monitors = 0;
    for (MethodNode method : node(type).methods) {
      for (AbstractInsnNode insn : method.instructions.toArray()) {
        if (insn.getOpcode() == Opcodes.MONITORENTER) {
          // What is locked, twice: to lock it, and to keep it for the end of the block.
          AbstractInsnNode twice = insn.getPrevious().getPrevious();
          if (twice.getOpcode() != Opcodes.DUP) {
            throw new LinkageError("another kind of synchronized block in " + method.name);
          }
          method.instructions.insertBefore(
              twice, ask("monitor", Plant.BATCHER_IS_NOT_SYNCHRONIZED, Object.class));
          monitors++;
        }
      }
    }
    found(monitors, Plant.BATCHER_IS_NOT_SYNCHRONIZED);
    afterRead(type, "ended", "counts", Plant.BATCHER_COUNTS_A_REQUEST_TWICE);
  }

  private void cancellableFuture(@Nullable Plant effective) {
    String type = "internal/CancellableFuture";
    afterCall(type, "follow", "isCancelled", "orFalse", Plant.FUTURE_DOES_NOT_LOOK_AGAIN);
    if (effective == Plant.FUTURE_STEP_IS_NOT_VOLATILE) {
      makePlain(type, "underWay");
    }
  }

  private void acquisition(@Nullable Plant effective) {
    afterCall("LockQueue", "submit", "isAbandoned", "orFalse", Plant.ABANDONED_CALL_IS_NOT_NOTICED);
    if (effective == Plant.ABANDONED_IS_NOT_VOLATILE) {
      makePlain("Acquisition", "queue");
      makePlain("Acquisition", "abandoned");
    }
    for (MethodInsnNode call : calls("LockManager", "complete", "complete")) {
      method("LockManager", "complete")
          .instructions
          .insert(call, ask("orTrue", Plant.GRANT_TO_NOBODY_IS_KEPT, boolean.class));
    }
  }

  private void leases() {
    for (MethodInsnNode call : calls("LeaseHandle", "requestRelease", "set")) {
      method("LeaseHandle", "requestRelease")
          .instructions
          .insertBefore(call, ask("orFalse", Plant.RELEASE_IS_NOT_MARKED, boolean.class));
    }
    afterCall("LeaseHandle", "replace", "equals", "orTrue", Plant.LIMITS_ARE_REPLACED_UNSEEN);

    String type = "Session";
    String lease = LOCK + "LeaseHandle";
    InsnList atFirst = new InsnList();
    atFirst.add(new VarInsnNode(Opcodes.ALOAD, 1));
    atFirst.add(new VarInsnNode(Opcodes.ALOAD, 0));
    atFirst.add(new FieldInsnNode(Opcodes.GETFIELD, LOCK + type, "lease", "L" + lease + ";"));
    atFirst.add(ask("orOther", Plant.ANY_LEASE_RELEASES, Object.class, Object.class));
    atFirst.add(new TypeInsnNode(Opcodes.CHECKCAST, lease));
    atFirst.add(new VarInsnNode(Opcodes.ASTORE, 1));
    method(type, "release").instructions.insert(atFirst);
    afterRead(type, "stopLingering", "holderless", Plant.LINGER_ENDS_UNDER_A_HOLDER);

    MethodNode remaining = method(type, "remainingNanos");
    int writes = 0;
    for (AbstractInsnNode insn : remaining.instructions.toArray()) {
      if (insn instanceof FieldInsnNode field
          && field.getOpcode() == Opcodes.PUTFIELD
          && field.name.equals("latched")) {
        remaining.instructions.insertBefore(
            field, ask("orFalse", Plant.LOSS_IS_NOT_KEPT, boolean.class));
        writes++;
      }
    }
    found(writes, Plant.LOSS_IS_NOT_KEPT);

    MethodNode tick = method("LossWatch", "tick");
    MethodInsnNode arm = calls("LossWatch", "tick", "arm").get(0);
    if (!(next(arm) instanceof JumpInsnNode toEnd)) {
      throw new LinkageError("LossWatch.tick does not end with arm()");
    }
    // Before "this" is loaded for the call.
    tick.instructions.insertBefore(
        arm.getPrevious(), jumpIf(Plant.LOSS_WATCH_DOES_NOT_LOOK_AGAIN, toEnd.label));
  }

  private void queues() {
    String type = "Engine";
    for (MethodInsnNode call : calls(type, "onQueue", "computeIfAbsent")) {
      replace(
          type,
          call,
          Plant.QUEUE_IS_CREATED_TWICE,
          "computeIfAbsent",
          "(Ljava/util/concurrent/ConcurrentHashMap;Ljava/lang/Object;"
              + "Ljava/util/function/Function;I)Ljava/lang/Object;");
    }
    // In the task that it gives to the queue.
    afterCall(type, "lambda$onQueue", "isDisposed", "orFalse", Plant.QUEUE_DISPOSAL_IS_NOT_NOTICED);
  }

  // --- Instructions

  private static void found(int count, Plant plant) {
    if (count == 0) {
      throw new LinkageError(plant + " finds nothing to change");
    }
  }

  private MethodNode method(String type, String name) {
    List<MethodNode> found =
        node(type).methods.stream()
            .filter(
                method ->
                    name.startsWith("lambda$")
                        ? method.name.startsWith(name) && calls(method, "isDisposed") > 0
                        : method.name.equals(name) && (method.access & Opcodes.ACC_BRIDGE) == 0)
            .toList();
    if (found.size() != 1) {
      throw new LinkageError(found.size() + " methods " + type + "." + name);
    }
    return found.get(0);
  }

  private static long calls(MethodNode method, String callee) {
    long count = 0;
    for (AbstractInsnNode insn : method.instructions.toArray()) {
      if (insn instanceof MethodInsnNode call && call.name.equals(callee)) {
        count++;
      }
    }
    return count;
  }

  private List<MethodInsnNode> calls(String type, String method, String callee) {
    List<MethodInsnNode> calls = new ArrayList<>();
    for (AbstractInsnNode insn : method(type, method).instructions.toArray()) {
      if (insn instanceof MethodInsnNode call && call.name.equals(callee)) {
        calls.add(call);
      }
    }
    if (calls.isEmpty()) {
      throw new LinkageError(type + "." + method + " does not call " + callee);
    }
    return calls;
  }

  /** Has another method called instead, with the plant as one more argument. */
  private void replace(
      String type, MethodInsnNode call, Plant plant, String by, String descriptor) {
    MethodNode method =
        node(type).methods.stream()
            .filter(candidate -> candidate.instructions.contains(call))
            .findFirst()
            .orElseThrow();
    method.instructions.insertBefore(call, number(plant));
    method.instructions.set(
        call, new MethodInsnNode(Opcodes.INVOKESTATIC, PLANT, by, descriptor, false));
  }

  private void afterCall(String type, String method, String callee, String question, Plant plant) {
    for (MethodInsnNode call : calls(type, method, callee)) {
      method(type, method).instructions.insert(call, ask(question, plant, boolean.class));
    }
  }

  private void afterRead(String type, String method, String field, Plant plant) {
    MethodNode in = method(type, method);
    int reads = 0;
    for (AbstractInsnNode insn : in.instructions.toArray()) {
      if (insn instanceof FieldInsnNode read
          && read.getOpcode() == Opcodes.GETFIELD
          && read.name.equals(field)) {
        in.instructions.insert(read, ask("orTrue", plant, boolean.class));
        reads++;
      }
    }
    found(reads, plant);
  }

  private void makePlain(String type, String field) {
    node(type).fields.stream()
            .filter(candidate -> candidate.name.equals(field))
            .filter(candidate -> (candidate.access & Opcodes.ACC_VOLATILE) != 0)
            .findFirst()
            .orElseThrow(() -> new LinkageError(type + "." + field + " is not volatile"))
            .access &=
        ~Opcodes.ACC_VOLATILE;
  }

  @SuppressWarnings("EnumOrdinal") // Woven and read in the same process.
  private static AbstractInsnNode number(Plant plant) {
    return new IntInsnNode(Opcodes.BIPUSH, plant.ordinal());
  }

  /** Calls the method of {@link Plant} of that name and those parameters, and the plant's. */
  private static InsnList ask(String question, Plant plant, Class<?>... parameters) {
    Type[] types = new Type[parameters.length + 1];
    for (int i = 0; i < parameters.length; i++) {
      types[i] = Type.getType(parameters[i]);
    }
    types[parameters.length] = Type.INT_TYPE;
    InsnList asked = new InsnList();
    asked.add(number(plant));
    asked.add(
        new MethodInsnNode(
            Opcodes.INVOKESTATIC,
            PLANT,
            question,
            Type.getMethodDescriptor(Type.getType(parameters[0]), types),
            false));
    return asked;
  }

  private static InsnList jumpIf(Plant plant, LabelNode target) {
    InsnList jump = new InsnList();
    jump.add(number(plant));
    jump.add(new MethodInsnNode(Opcodes.INVOKESTATIC, PLANT, "on", "(I)Z", false));
    jump.add(new JumpInsnNode(Opcodes.IFNE, target));
    return jump;
  }

  private static AbstractInsnNode last(MethodNode method, Predicate<AbstractInsnNode> which) {
    AbstractInsnNode last = null;
    for (AbstractInsnNode insn : method.instructions.toArray()) {
      last = which.test(insn) ? insn : last;
    }
    if (last == null) {
      throw new LinkageError("no such instruction in " + method.name);
    }
    return last;
  }

  /** The next that is an instruction, not a label, a line or a frame. */
  private static AbstractInsnNode next(AbstractInsnNode insn) {
    AbstractInsnNode next = insn.getNext();
    while (next.getOpcode() < 0) {
      next = next.getNext();
    }
    return next;
  }

  /** A place that others jump to, so that it has a frame. */
  private static LabelNode labelBefore(AbstractInsnNode insn) {
    AbstractInsnNode previous = insn.getPrevious();
    while (!(previous instanceof LabelNode)) {
      if (previous instanceof InsnNode) {
        throw new LinkageError("nothing jumps there");
      }
      previous = previous.getPrevious();
    }
    return (LabelNode) previous;
  }
}
