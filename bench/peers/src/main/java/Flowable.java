// SPDX-License-Identifier: Apache-2.0
import java.util.Map;
import org.flowable.engine.ProcessEngine;
import org.flowable.engine.RuntimeService;
import org.flowable.engine.delegate.DelegateExecution;
import org.flowable.engine.delegate.JavaDelegate;
import org.flowable.engine.impl.cfg.StandaloneProcessEngineConfiguration;

/** Flowable, embedded. -Dtuned=true: the asynchronous executor's settings raised. */
public final class Flowable implements Peer {
  public static final class Late implements JavaDelegate {
    @Override
    public void execute(DelegateExecution execution) {
      Load.timerFired(((Number) execution.getVariable("due")).longValue());
    }
  }

  public static final class Fail implements JavaDelegate {
    @Override
    public void execute(DelegateExecution execution) {
      Load.tried();
    }
  }

  private final StandaloneProcessEngineConfiguration configuration =
      new StandaloneProcessEngineConfiguration();
  private final ProcessEngine engine;

  private Flowable(String url) {
    configuration.setDataSource(Meter.pool(url, 24));
    configuration.setDatabaseSchemaUpdate("true");
    configuration.setAsyncExecutorActivate(false);
    if (Boolean.getBoolean("tuned")) {
      configuration.setAsyncExecutorCorePoolSize(12);
      configuration.setAsyncExecutorMaxPoolSize(12);
      configuration.setAsyncExecutorThreadPoolQueueSize(256);
      configuration.setAsyncExecutorMaxAsyncJobsDuePerAcquisition(64);
      configuration.setAsyncExecutorMaxTimerJobsPerAcquisition(64);
      configuration.setAsyncExecutorDefaultAsyncJobAcquireWaitTime(50);
      configuration.setAsyncExecutorDefaultTimerJobAcquireWaitTime(50);
    }
    engine = configuration.buildProcessEngine();
  }

  @Override
  public String prefix() {
    return "flowable";
  }

  @Override
  public String namespace() {
    return "http://flowable.org/bpmn";
  }

  @Override
  public String asyncAttribute() {
    return "async";
  }

  @Override
  public void deploy(String name, String xml) {
    engine.getRepositoryService().createDeployment().addString(name, xml).deploy();
  }

  @Override
  public void start(String process, String key, Map<String, Object> variables) {
    engine.getRuntimeService().startProcessInstanceByKey(process, key, variables);
  }

  @Override
  public void correlate(String key, Map<String, Object> variables) {
    RuntimeService runtime = engine.getRuntimeService();
    String id = runtime.createExecutionQuery().messageEventSubscriptionName("go")
        .processInstanceBusinessKey(key, true).singleResult().getId();
    runtime.messageEventReceived("go", id, variables);
  }

  @Override
  public void startExecutor() {
    configuration.getAsyncExecutor().start();
  }

  @Override
  public void stopExecutor() {
    configuration.getAsyncExecutor().shutdown();
  }

  public static void main(String[] args) throws Exception {
    Load.main(new Flowable(args[0]), args);
  }
}
