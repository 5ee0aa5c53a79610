package dev.holdfast.chaos.sim;

import java.util.Locale;

/** Named sets of faults, as {@code --scenario} takes them. */
enum SimScenario {
  /** All faults at once. */
  ALL("all"),
  /** Nothing goes wrong. */
  CALM("none"),
  /** Messages are late, lost, doubled; the network is cut. */
  NETWORK("delay,request-lost,reply-lost,duplicate,write-refused,partition,one-way,node-cut-off"),
  /** Nodes crash, pause, and are cut off from each other. */
  NODES("node-crash=8,node-pause=8,node-cut-off=12,reply-lost"),
  /** Processes crash, pause, and sleep. */
  CLIENTS("client-crash,client-pause,suspend=6"),
  /** Clocks are as wrong as the protocol allows. */
  CLOCKS("wall-offset,wall-jump=12,drift,slew=12,suspend,vm-pause,client-pause"),
  /** Monotonic clocks slew between both ends of the margin, while wall clocks are set. */
  DRIFT("drift,slew=60,wall-offset,wall-jump=120,client-pause=12,request-lost=0.3"),
  /** The index is deleted under its holders. */
  INDEX("index-deleted=6,reply-lost,client-pause,delay"),
  /** Hypervisors pause the machines of clients, whose clocks run at different rates. */
  MACHINES("vm-pause=12,slew=6,drift,wall-offset"),
  /** Operators put other indices in the place of the lock index, or restore it. */
  REPLACED("index-swapped=3,index-restored=2,client-pause,drift"),
  /** Proxies limit the size of requests, and drop connections that are idle. */
  PROXIES("body-limit=6,idle-drop=6"),
  /** Requests are rejected for seconds, since too many wait. */
  OVERLOADED("overload=3"),
  /** Schedulers and executors of clients reject tasks, while requests are lost. */
  EXECUTORS("executors-reject=12,request-lost,reply-lost,client-pause"),
  /** Requests and answers are lost, operations rejected, and nothing else happens. */
  LOSSES("request-lost=0.05,reply-lost=0.05,write-refused=0.05"),
  /** One process always wants the lock that others want occasionally. */
  BUSY("busy=12"),
  /** One process hands the lock from task to task, at once, while requests are late and lost. */
  BRISK(
      "brisk=6,delay=0.05,request-lost=0.05,reply-lost=0.05,duplicate,write-refused,client-pause"),
  /** A semaphore instead of locks, while messages, nodes and processes fail. */
  PERMITS(
      "permits=3,delay,request-lost,reply-lost,duplicate,write-refused,partition,node-crash,"
          + "client-crash,client-pause"),
  /** Leader elections instead of locks, while messages, nodes, processes and clocks fail. */
  ELECTION(
      "candidates=1,delay,request-lost,reply-lost,duplicate,write-refused,partition,one-way,"
          + "node-crash,client-crash,client-pause,suspend,drift,wall-offset");

  private final String faults;

  SimScenario(String faults) {
    this.faults = faults;
  }

  Faults faults() {
    return Faults.parse(faults);
  }

  /** As users write it. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
