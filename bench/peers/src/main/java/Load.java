// SPDX-License-Identifier: Apache-2.0
import java.util.Date;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** The same work for every peer: starts, asynchronous boundaries, correlations; timers and retries. */
final class Load {
  private static final String ORDER =
      "{\"order\":{\"id\":12345,\"customer\":\"acme\",\"amount\":99.5}}";
  private static final int CLIENTS = 8;
  private static final ConcurrentLinkedQueue<Long> LATE = new ConcurrentLinkedQueue<>();
  private static final AtomicInteger TRIES = new AtomicInteger();
  private static volatile long firstTry;
  private static volatile long lastTry;

  private final Peer peer;
  private final Meter meter;

  Load(Peer peer, String url) throws Exception {
    this.peer = peer;
    this.meter = new Meter(url);
  }

  /** What the tasks of the processes "timer" and "retry" do. */
  static void timerFired(long due) {
    LATE.add(System.currentTimeMillis() - due);
  }

  static void tried() {
    lastTry = System.nanoTime();
    if (TRIES.getAndIncrement() == 0) {
      firstTry = lastTry;
    }
    throw new IllegalStateException("no");
  }

  private String process(String id, String content) {
    return "<?xml version='1.0' encoding='UTF-8'?><definitions"
        + " xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' targetNamespace='peers' xmlns:"
        + peer.prefix() + "='" + peer.namespace() + "'><message id='m' name='go'/><process id='"
        + id + "' isExecutable='true'><startEvent id='s'/>" + content
        + "<endEvent id='e'/></process></definitions>";
  }

  private static String flow(String from, String to) {
    return "<sequenceFlow id='" + from + to + "' sourceRef='" + from + "' targetRef='" + to + "'/>";
  }

  private String task(String id, String attributes, String content) {
    return "<serviceTask id='" + id + "' "
        + attributes.replace("ASYNC", peer.prefix() + ":" + peer.asyncAttribute() + "='true'")
            .replace("P:", peer.prefix() + ":")
        + ">" + content + "</serviceTask>";
  }

  private void deploy() {
    String expression = "ASYNC P:expression='${true}'";
    String own = peer.getClass().getSimpleName();
    peer.deploy("three-tasks.bpmn", process("three-tasks",
        flow("s", "a") + task("a", expression, "") + flow("a", "b") + task("b", expression, "")
            + flow("b", "c") + task("c", expression, "") + flow("c", "e")));
    peer.deploy("msg.bpmn", process("msg",
        flow("s", "c") + "<intermediateCatchEvent id='c'><messageEventDefinition messageRef='m'/>"
            + "</intermediateCatchEvent>" + flow("c", "e")));
    peer.deploy("timer.bpmn", process("timer",
        flow("s", "c") + "<intermediateCatchEvent id='c'><timerEventDefinition><timeDate>${when}"
            + "</timeDate></timerEventDefinition></intermediateCatchEvent>" + flow("c", "d")
            + task("d", "P:class='" + own + "$Late'", "") + flow("d", "e")));
    String cycle = peer.prefix() + ":failedJobRetryTimeCycle";
    peer.deploy("retry.bpmn", process("retry",
        flow("s", "d") + task("d", "ASYNC P:class='" + own + "$Fail'",
            "<extensionElements><" + cycle + ">R100/PT0.1S</" + cycle + "></extensionElements>")
            + flow("d", "e")));
  }

  private void untilAllEnded() throws Exception {
    while (meter.one("select count(*) from act_ru_execution") > 0) {
      Thread.sleep(20);
    }
  }

  private void startMany(String prefix, int n) throws Exception {
    Meter.many(CLIENTS, n, i -> peer.start("three-tasks", prefix + i, Map.of("order", ORDER)));
  }

  /** The database must be empty: what an earlier run left running is waited for. */
  void run(int n) throws Exception {
    deploy();
    startMany("w", 500); // warm up
    peer.startExecutor();
    untilAllEnded();
    peer.stopExecutor();

    meter.begin();
    startMany("k", n);
    meter.end("starts", n, null);

    meter.begin();
    peer.startExecutor();
    untilAllEnded();
    meter.end("boundaries", 3L * n, "wal");
    peer.stopExecutor();

    Meter.many(CLIENTS, n, i -> peer.start("msg", "k" + i, Map.of()));
    meter.begin();
    Meter.many(CLIENTS, n, i -> peer.correlate("k" + i, Map.of("answer", ORDER)));
    meter.end("correlations", n, null);
  }

  private void timer(long due) {
    peer.start("timer", null, Map.of("when", new Date(due), "due", due));
  }

  private void untilLate(int n, long seconds) throws Exception {
    long until = System.currentTimeMillis() + seconds * 1000;
    while (LATE.size() < n && System.currentTimeMillis() < until) {
      Thread.sleep(20);
    }
  }

  /** Timers, busy (300, one every 33 ms) and idle (6), and R100/PT0.1S for a minute. */
  void runTimes() throws Exception {
    peer.startExecutor();
    long first = System.currentTimeMillis() + 3000;
    for (int i = 0; i < 300; i++) {
      timer(first + i * 33);
    }
    untilLate(300, 100);
    Meter.lateness("timers-busy", LATE);
    LATE.clear();
    for (int i = 0; i < 6; i++) {
      Thread.sleep(6000);
      timer(System.currentTimeMillis() + 1500);
      untilLate(i + 1, 70);
    }
    Meter.lateness("timers-idle", LATE);
    peer.start("retry", null, Map.of());
    long until = System.currentTimeMillis() + 60000;
    while (TRIES.get() < 100 && System.currentTimeMillis() < until) {
      Thread.sleep(20);
    }
    if (TRIES.get() > 1) {
      Meter.print("retry-gap-mean-ms", (lastTry - firstTry) / 1e6 / (TRIES.get() - 1));
    }
    peer.stopExecutor();
  }

  /** args: JDBC URL, instances, and "times" for runTimes() too. */
  static void main(Peer peer, String[] args) throws Exception {
    Load load = new Load(peer, args[0]);
    load.run(Integer.parseInt(args[1]));
    if (args.length > 2 && args[2].equals("times")) {
      load.runTimes();
    }
    System.exit(0);
  }
}
