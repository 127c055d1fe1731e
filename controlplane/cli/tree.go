package cli

import urfave "github.com/urfave/cli/v2"

const rootHelp = `The control plane's address is ` + urlVariable + ` and the admin token is ` + tokenVariable + `; both may be set in a
.env file in the working directory. Flags may be given before or after arguments.

` + exitHelp + `

Examples:
  gatewayctl status
  gatewayctl weights set demo demo-api=1 --wait --reason 'all traffic to the demo'`

// tree lists every command.
func tree() []*urfave.Command {
	return finish([]*urfave.Command{
		statusCommand(), modelsCommand(), routingCommand(), endpointsCommand(), explainCommand(), weightsCommand(), policyCommand(), rolloutCommand(), applyCommand(), canaryCommand(), diffCommand(), validateCommand(), importFilesCommand(),
		releasesCommand(), nodesCommand(), keysCommand(), teamsCommand(), limitsCommand(), statsCommand(), seriesCommand(), usageCommand(), shadowCommand(), logsCommand(), ledgerCommand(), deadLettersCommand(), eraseCommand(), pricesCommand(), reconcileCommand(), auditCommand(), operatorsCommand(), sessionsCommand(),
		natsCommand(), versionCommand(), completionCommand(), manCommand(),
	})
}
