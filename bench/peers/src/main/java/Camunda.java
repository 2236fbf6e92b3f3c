// SPDX-License-Identifier: Apache-2.0
import java.util.Map;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.delegate.DelegateExecution;
import org.camunda.bpm.engine.delegate.JavaDelegate;
import org.camunda.bpm.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.camunda.bpm.engine.impl.jobexecutor.DefaultJobExecutor;

/** Camunda 7, embedded. -Dtuned=true: the job executor's settings raised to what helps it most here. */
public final class Camunda implements Peer {
  public static final class Late implements JavaDelegate {
    @Override
    public void execute(DelegateExecution execution) {
      Load.timerFired((Long) execution.getVariable("due"));
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

  private Camunda(String url) {
    configuration.setDataSource(Meter.pool(url, 24));
    configuration.setDatabaseSchemaUpdate("true");
    configuration.setJobExecutorActivate(false);
    configuration.setEnforceHistoryTimeToLive(false);
    if (Boolean.getBoolean("tuned")) {
      DefaultJobExecutor executor = new DefaultJobExecutor();
      executor.setCorePoolSize(12);
      executor.setMaxPoolSize(12);
      executor.setQueueSize(64);
      executor.setMaxJobsPerAcquisition(32);
      executor.setWaitTimeInMillis(50);
      executor.setMaxWait(100);
      executor.setBackoffTimeInMillis(5);
      executor.setMaxBackoff(50);
      configuration.setJobExecutor(executor);
    }
    engine = configuration.buildProcessEngine();
  }

  @Override
  public String prefix() {
    return "camunda";
  }

  @Override
  public String namespace() {
    return "http://camunda.org/schema/1.0/bpmn";
  }

  @Override
  public String asyncAttribute() {
    return "asyncBefore";
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
    engine.getRuntimeService().createMessageCorrelation("go").processInstanceBusinessKey(key)
        .setVariables(variables).correlate();
  }

  @Override
  public void startExecutor() {
    configuration.getJobExecutor().start();
  }

  @Override
  public void stopExecutor() {
    configuration.getJobExecutor().shutdown();
  }

  public static void main(String[] args) throws Exception {
    Load.main(new Camunda(args[0]), args);
  }
}
