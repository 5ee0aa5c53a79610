package dev.holdfast.lock.elasticsearch;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** What is logged below a name, down to a level, while this is open. */
public final class LogCapture implements AutoCloseable {
  private final Logger logger;
  private final @Nullable Level levelBefore;
  private final boolean additiveBefore;
  private final ListAppender<ILoggingEvent> appender;

  private LogCapture(String name, Level level) {
    this(name, level, new ListAppender<>());
  }

  private LogCapture(String name, Level level, ListAppender<ILoggingEvent> appender) {
    this.appender = appender;
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    logger = context.getLogger(name);
    levelBefore = logger.getLevel();
    additiveBefore = logger.isAdditive();
    appender.setContext(context);
    appender.start();
    logger.setLevel(level);
    logger.setAdditive(false);
    logger.addAppender(appender);
  }

  public static LogCapture of(String name, Level level) {
    return new LogCapture(name, level);
  }

  /** Everything of Holdfast itself. */
  static LogCapture ofHoldfast() {
    return new LogCapture("dev.holdfast", Level.TRACE);
  }

  /** Everything below that name is lost, as its appender throws. */
  static LogCapture thatThrows(String name) {
    return new LogCapture(
        name,
        Level.TRACE,
        new ListAppender<>() {
          @Override
          public synchronized void doAppend(ILoggingEvent event) {
            list.add(event);
            throw new OutOfMemoryError("planted");
          }
        });
  }

  /** How many events were lost. */
  int thrown() {
    return appender.list.size();
  }

  /** Level, message and stack trace of each event. */
  public List<String> lines() {
    return List.copyOf(appender.list).stream()
        .map(
            event ->
                event.getLevel()
                    + " "
                    + event.getFormattedMessage()
                    + (event.getThrowableProxy() == null
                        ? ""
                        : "\n" + ThrowableProxyUtil.asString(event.getThrowableProxy())))
        .toList();
  }

  @Override
  public void close() {
    logger.detachAppender(appender);
    logger.setAdditive(additiveBefore);
    logger.setLevel(levelBefore);
  }
}
