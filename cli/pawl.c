/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/lint.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/text.h"

/* In the order of the help. */
const struct subcommand *const commands[] = {
    &command_up,
    &command_migrate,
    &command_clean,
    &command_lint,
    &command_new,
    &command_test,
    &command_deploy,
    &command_definitions,
    &command_export,
    &command_withdraw,
    &command_parameter_list,
    &command_parameter_set,
    &command_start,
    &command_message,
    &command_ps,
    &command_find,
    &command_trace,
    &command_why,
    &command_cancel,
    &command_suspend,
    &command_resume,
    &command_concurrency,
    &command_tasks,
    &command_task_complete,
    &command_task_claim,
    &command_task_release,
    &command_task_fail,
    &command_external_list,
    &command_external_show,
    &command_external_work,
    &command_external_unlock,
    &command_callbacks,
    &command_callback_succeed,
    &command_callback_fail,
    &command_callback_heartbeat,
    &command_callback_keys,
    &command_callback_rotate_key,
    &command_incidents,
    &command_retry,
    &command_skip,
    &command_move,
    &command_complete,
    &command_bulk_list,
    &command_bulk_stop,
    &command_alert_list,
    &command_alert_mute,
    &command_alert_unmute,
    &command_alert_targets,
    &command_alert_set,
    &command_alert_try,
    &command_alert_drop,
    &command_endpoint_list,
    &command_endpoint_show,
    &command_endpoint_set,
    &command_endpoint_drop,
    &command_endpoint_open,
    &command_endpoint_close,
    &command_endpoint_reset,
    &command_webhook_list,
    &command_webhook_set,
    &command_webhook_drop,
    &command_hold,
    &command_held,
    &command_release,
    &command_event_put,
    &command_event_list,
    &command_event_unmatched,
    &command_event_deliveries,
    &command_event_replay,
    &command_event_rules,
    &command_event_set_rule,
    &command_event_drop_rule,
    &command_event_test,
    &command_event_bus,
    &command_delegate_list,
    &command_delegate_set,
    &command_delegate_drop,
    &command_user_list,
    &command_user_add,
    &command_user_set,
    &command_user_passwd,
    &command_user_token,
    &command_user_key,
    &command_user_grant,
    &command_user_revoke,
    &command_user_drop,
    &command_audit,
    &command_version,
    &command_help,
    NULL,
};

static enum exit_code show_help(struct cli *cli, enum exit_code code)
{
    /* Help that was not asked for is a message, not data. */
    if (code != EXIT_DONE)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    if (cli->command != NULL)
        help_command(cli, cli->command);
    else if (cli->n_arguments == 1)
        help_group(cli, cli->arguments[0]);
    else
        help_program(cli);
    return code;
}

int main(int argc, char **argv)
{
    struct cli cli = {0};

    tzset();
    text_init();
    arena_init(&cli.arena, 0);
    output_init(&cli);
    enum exit_code code = options_read(&cli, argc, argv);
    /* `pawl` alone and `pawl task` alone are wrong usage whose answer is the help. */
    if (cli.help && (code == EXIT_DONE || cli.command == NULL))
        code = show_help(&cli, code);
    else if (code == EXIT_DONE)
        code = cli.command->run(&cli);
    code = output_finish(&cli, code);
    arena_deinit(&cli.arena);
    return (int)code;
}
