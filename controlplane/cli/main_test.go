package cli_test

import (
	"context"
	"os"
	"testing"

	"github.com/hybridinference/gateway/controlplane/cli"
)

// asProgram makes this test binary behave as gatewayctl, for shells to call.
const asProgram = "GATEWAYCTL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	os.Exit(cli.Run(context.Background(), cli.Options{
		Args: os.Args[1:], Env: os.LookupEnv, Stdout: os.Stdout, Stderr: os.Stderr, Version: "v1.2.3",
	}))
}
