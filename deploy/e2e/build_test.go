package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bin is where TestMain put the binaries; root is the repository.
var bin, root string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// buildAndRun builds what the tests start, with the race detector where it is
// our own, and runs them.
func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "gateway-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	here, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	bin, root = dir, filepath.Join(here, "..", "..")
	const gateway = "github.com/hybridinference/gateway/"
	ours := []string{"build", "-race", "-o", bin + "/", gateway + "dataplane/cmd/dataplane", gateway + "controlplane/cmd/controlplane", gateway + "controlplane/cmd/gatewayctl", gateway + "deploy/standalone"}
	for _, args := range [][]string{ours, {"build", "-o", bin + "/", "github.com/nats-io/nats-server/v2"}} {
		cmd := exec.Command("go", args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return m.Run(), nil
}
