// SPDX-License-Identifier: Apache-2.0
import java.util.Map;

/** What Load needs of an engine. */
interface Peer {
  /** Of its attributes in the BPMN file, and what an asynchronous task is called there. */
  String prefix();

  String namespace();

  String asyncAttribute();

  void deploy(String name, String xml);

  void start(String process, String key, Map<String, Object> variables);

  /** Gives the message "go" to the instance of "msg" with this business key. */
  void correlate(String key, Map<String, Object> variables);

  void startExecutor();

  void stopExecutor();
}
