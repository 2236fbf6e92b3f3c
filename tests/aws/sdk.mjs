// SPDX-License-Identifier: Apache-2.0
// AWS's own clients for JavaScript; nothing but the endpoint and the keys are ours. sdk.mjs ADDRESS MODULES TOKEN TOKEN
import { createRequire } from "node:module";

const [address, modules, first, second] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { SFNClient, SendTaskSuccessCommand, SendTaskFailureCommand, SendTaskHeartbeatCommand, TaskTimedOut, InvalidToken } =
    require("@aws-sdk/client-sfn");
const { EventBridgeClient, PutEventsCommand } = require("@aws-sdk/client-eventbridge");
let passed = 0, failed = 0;
function check(what, good, detail) {
    if (good) passed++;
    else failed++, console.log("FAIL  " + what + ": " + (detail?.stack ?? JSON.stringify(detail)));
}
async function refusal(sent) {
    try {
        return await sent;
    } catch (error) {
        return error;
    }
}
const region = "eu-central-1";
const sfn = new SFNClient({ region, endpoint: `http://${address}/aws/sfn` });
const events = new EventBridgeClient({ region, endpoint: `http://${address}` });
check("heartbeat", (await refusal(sfn.send(new SendTaskHeartbeatCommand({ taskToken: first })))).$metadata?.httpStatusCode === 200);
check("success", (await refusal(sfn.send(new SendTaskSuccessCommand({ taskToken: first, output: '{"from":"sdk"}' })))).$metadata?.httpStatusCode === 200);
check("failure", (await refusal(sfn.send(new SendTaskFailureCommand({ taskToken: second, error: "CardDeclined", cause: "no" })))).$metadata?.httpStatusCode === 200);
let error = await refusal(sfn.send(new SendTaskFailureCommand({ taskToken: first, error: "E" })));
check("late", error instanceof TaskTimedOut && error.$metadata.requestId?.length === 36, error);
error = await refusal(sfn.send(new SendTaskHeartbeatCommand({ taskToken: "x" })));
check("forged", error instanceof InvalidToken, error);
const answer = await refusal(events.send(new PutEventsCommand({ Entries: [{ Source: "js", DetailType: "t", Detail: "{}", Time: new Date(), Resources: ["r"] }] })));
check("PutEvents", answer.FailedEntryCount === 0 && answer.Entries[0].EventId.length === 36, answer);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
