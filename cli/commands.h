/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The subcommands, each defined in the file of its name or family. */
#include "cli/cli.h"

extern const struct subcommand command_new, command_test;
extern const struct subcommand command_up, command_migrate, command_clean, command_deploy,
    command_definitions;
extern const struct subcommand command_start, command_message, command_ps, command_find,
    command_trace, command_why;
extern const struct subcommand command_tasks, command_task_complete, command_task_claim;
extern const struct subcommand command_task_release, command_task_fail;
extern const struct subcommand command_audit;
extern const struct subcommand command_external_list, command_external_show,
    command_external_unlock, command_external_work;
extern const struct subcommand command_callbacks, command_callback_succeed, command_callback_fail,
    command_callback_heartbeat, command_callback_keys, command_callback_rotate_key;
extern const struct subcommand command_user_list, command_user_add, command_user_set;
extern const struct subcommand command_user_passwd, command_user_drop, command_user_token;
extern const struct subcommand command_user_key, command_user_grant, command_user_revoke;
extern const struct subcommand command_incidents, command_retry, command_cancel;
extern const struct subcommand command_skip, command_move, command_complete;
extern const struct subcommand command_export, command_withdraw, command_parameter_list,
    command_parameter_set;
extern const struct subcommand command_suspend, command_resume, command_concurrency;
extern const struct subcommand command_bulk_list, command_bulk_stop;
extern const struct subcommand command_event_put, command_event_list, command_event_unmatched,
    command_event_deliveries, command_event_rules, command_event_set_rule, command_event_drop_rule,
    command_event_test, command_event_replay, command_event_bus;
extern const struct subcommand command_alert_list, command_alert_mute, command_alert_unmute;
extern const struct subcommand command_alert_targets, command_alert_set, command_alert_try,
    command_alert_drop;
extern const struct subcommand command_delegate_list, command_delegate_set, command_delegate_drop;
extern const struct subcommand command_endpoint_list, command_endpoint_set, command_endpoint_drop;
extern const struct subcommand command_endpoint_show, command_endpoint_open, command_endpoint_close;
extern const struct subcommand command_webhook_list, command_webhook_set, command_webhook_drop;
extern const struct subcommand command_endpoint_reset, command_hold, command_release, command_held;
