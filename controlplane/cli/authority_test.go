package cli_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheAuthorityIsTrusted(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[]`)
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"GATEWAY_ADMIN_URL": server.URL, "ADMIN_TOKEN": token}
	if r := runWith(t, vars, "nodes", "--timeout", "1s"); r.code == 0 || !strings.Contains(r.stderr, "certificate") {
		t.Errorf("without it: %+v", r)
	}
	vars["GATEWAY_ADMIN_CA"] = path
	if r := runWith(t, vars, "nodes", "--timeout", "1s"); r.code != 0 {
		t.Errorf("with it: %+v", r)
	}
}
