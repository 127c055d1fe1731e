package e2e_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// TestInstall takes README's line that needs no Go, and runs it against a release
// folder with the binaries of TestMain: it installs, starts and answers. What is
// wrong with a release or a machine is said, and installs nothing.
func TestInstall(t *testing.T) {
	files := release(t)
	server := httptest.NewServer(http.FileServer(http.Dir(files)))
	t.Cleanup(server.Close)

	dir, port, control := t.TempDir(), freePort(t), freePort(t)
	published := regexp.MustCompile(`GATEWAY_RELEASES=https://\S+`)
	line := blocks(t, "bash", section(t, readText(t, "README.md"), "### Without Go", "### Shift live traffic"))
	if !published.MatchString(line) {
		t.Fatalf("README does not say where releases are: %s", line)
	}
	p := launch(t, "/bin/bash", []string{"PORT=" + port, "CONTROL_PORT=" + control}, "-c", "cd "+dir+" && "+published.ReplaceAllString(line, "GATEWAY_RELEASES="+server.URL))
	url := "http://127.0.0.1:" + port
	eventually.Nil(t, 2*time.Minute, "the installed gateway serves", func() error { // it is copied, unpacked and migrated first
		status, body, err := fetch(t.Context(), http.MethodGet, url+"/health/ready", "")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, body)
		}
		return err
	})
	if status, body, err := fetch(t.Context(), http.MethodPost, url+"/v1/chat/completions", `{"messages":[{"role":"user","content":"Ping"}]}`); err != nil || status != http.StatusOK || !strings.Contains(body, "Pong") {
		t.Errorf("%d %s %v\n%s", status, body, err, p.out)
	}

	// over the gateway that runs: its programs are replaced, the configuration is not
	models := filepath.Join(dir, "gateway", "config", "models.yaml")
	edited := readText(t, "config/models.yaml") + "# edited\n"
	if err := os.WriteFile(models, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := install(t, dir, server.URL); err != nil || !strings.Contains(out, "standalone dev") || !strings.Contains(out, "is in gateway; start it") {
		t.Errorf("again: %v\n%s", err, out)
	}
	if kept, err := os.ReadFile(models); err != nil || string(kept) != edited {
		t.Errorf("the edited models.yaml is gone: %v", err)
	}

	machine := t.TempDir() // answers for uname
	if err := os.WriteFile(filepath.Join(machine, "uname"), []byte("#!/bin/sh\n[ \"$1\" = -s ] && echo ${SYSTEM:-Linux} || echo ${MACHINE:-x86_64}\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	sums, err := os.ReadFile(filepath.Join(files, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"checksums.txt": sums, "gateway_1.2.3_linux_" + runtime.GOARCH + ".tar.gz": sums} {
		if err := os.WriteFile(filepath.Join(damaged, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	half := httptest.NewServer(http.FileServer(http.Dir(damaged)))
	t.Cleanup(half.Close)
	for _, c := range []struct {
		releases string
		env      []string
		want     string
	}{
		{server.URL, []string{"MACHINE=riscv64"}, "this machine is riscv64"},
		{server.URL, []string{"SYSTEM=FreeBSD"}, "this is FreeBSD"},
		{server.URL, []string{"SYSTEM=Darwin"}, "lists no gateway_VERSION_darwin_"},
		{server.URL + "/missing", nil, "cannot download " + server.URL + "/missing/checksums.txt"},
		{half.URL, []string{"MACHINE=" + runtime.GOARCH}, "is damaged or was tampered with"},
	} {
		dir := t.TempDir()
		out, err := install(t, dir, c.releases, append(c.env, "PATH="+machine+":"+os.Getenv("PATH"))...)
		if err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s %v: %v, want %q:\n%s", c.releases, c.env, err, c.want, out)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "gateway", "*")); err != nil || len(left) > 0 {
			t.Errorf("%s %v leaves %v %v", c.releases, c.env, left, err)
		}
	}
	if out, err := install(t, t.TempDir(), server.URL, "FLAG=--folder"); err == nil || !strings.Contains(out, "unexpected argument --folder") {
		t.Errorf("%v\n%s", err, out)
	}
}

func install(t *testing.T, dir, releases string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `sh "$SCRIPT" $FLAG`)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GATEWAY_RELEASES=" + releases, "SCRIPT=" + filepath.Join(root, "scripts", "install.sh"), "GORACE=" + os.Getenv("GORACE")}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// release makes the folder of a release for this system.
func release(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	name := fmt.Sprintf("gateway_1.2.3_linux_%s.tar.gz", runtime.GOARCH)
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	packed, err := gzip.NewWriterLevel(io.MultiWriter(file, hash), gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(packed)
	add := func(member, from string) {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := archive.WriteHeader(&tar.Header{Name: strings.TrimSuffix(name, ".tar.gz") + "/" + member, Mode: int64(info.Mode().Perm()), Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"dataplane", "controlplane", "gatewayctl", "standalone"} {
		add(program, filepath.Join(bin, program))
	}
	for _, name := range []string{"config/models.yaml", "config/routing.yaml", ".env.example", "README.md", "LICENSE"} {
		add(name, filepath.Join(root, name))
	}
	for _, closer := range []io.Closer{archive, packed, file} {
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sums := fmt.Sprintf("%s  gateway_1.2.3_windows_%s.zip\n%x  %s\n", strings.Repeat("0", 64), runtime.GOARCH, hash.Sum(nil), name)
	for file, text := range map[string]string{"checksums.txt": sums, "install.sh": readText(t, "scripts/install.sh")} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
