package cli

const rootDetails = `The control plane is looked for at ` + urlVariable + `, and asked with ` + tokenVariable + `; both may
stand in a file .env in the working directory. Flags may stand before or after arguments.

` + exitHelp

// tree lists every command.
func tree() *command {
	root := &command{
		name:    "gatewayctl",
		about:   "run a gateway: models, traffic, releases, nodes and keys",
		details: rootDetails,
		examples: []string{
			"gatewayctl status",
			"gatewayctl weights set demo demo-api=1 --wait --reason 'all to the demo'",
		},
		subs: []*command{
			statusCommand(), modelsCommand(), routingCommand(), endpointsCommand(), explainCommand(), weightsCommand(), applyCommand(), diffCommand(), validateCommand(),
			releasesCommand(), nodesCommand(), keysCommand(), statsCommand(), usageCommand(), logsCommand(), ledgerCommand(), deadLettersCommand(), auditCommand(), natsCommand(), versionCommand(), completionCommand(),
			completeCommand(),
		},
	}
	return root.adopt()
}
