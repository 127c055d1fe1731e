package fleet

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/load"
	"github.com/hybridinference/gateway/scripts/bench/process"
)

// Path is where all targets take requests.
const Path = "/v1/chat/completions"

// startGateway starts the nodes and everything behind them.
func (f *Fleet) startGateway(ctx context.Context) error {
	nats, err := f.role("NATS", roleNATS, f.addr.nats, filepath.Join(f.o.Dir, "nats-state"))
	if err != nil {
		return err
	}
	if err := nats.Await(ctx, listens(f.addr.nats)); err != nil {
		return err
	}
	token, secret := rand.Text(), rand.Text()
	env := []string{"HOST=127.0.0.1", "NATS_URL=nats://" + f.addr.nats, "API_KEY_SECRET=" + secret, "ADMIN_TOKEN=" + token, "LOG_LEVEL=warn"}
	if err := f.startControl(ctx, env); err != nil {
		return err
	}
	key, err := f.makeKey(ctx, token)
	if err != nil {
		return err
	}
	if err := f.startNode(ctx, env, Target{Name: Node, Addr: f.addr.node, Key: key}, f.o.Bin); err != nil {
		return err
	}
	if f.o.Before != "" {
		if err := f.startNode(ctx, env, Target{Name: Before, Addr: f.addr.before, Key: key}, f.o.Before); err != nil {
			return err
		}
	}
	f.backlog, err = openBacklog(f.addr.nats, f.nodes())
	if err != nil {
		return err
	}
	f.stack.Push("backlog", f.backlog.close)
	return nil
}

// nodes are the addresses of the nodes.
func (f *Fleet) nodes() (addrs []string) {
	for _, t := range f.Targets {
		if t.Key != "" {
			addrs = append(addrs, t.Addr)
		}
	}
	return addrs
}

// startNode starts a node and adds it to the targets once it answers.
func (f *Fleet) startNode(ctx context.Context, env []string, t Target, bin string) error {
	node, err := f.launch(process.Options{
		Name: t.Name, Path: filepath.Join(bin, "dataplane"),
		Env: append(slices.Clip(env), "PORT="+port(t.Addr), "NODE_ID=bench-"+t.Name, "SSL_CERT_FILE="+filepath.Join(f.o.Dir, certFile), "STATE_DIR="+filepath.Join(f.o.Dir, t.Name+"-state")),
	})
	if err != nil {
		return err
	}
	t.Process = node
	probe := load.Request{Addr: t.Addr, Path: Path, Key: t.Key, Marker: "probe", Body: []byte(`{"model":"` + f.o.Models[0] + `","messages":[{"role":"user","content":"echo:probe"}]}`)}
	if err := node.Await(ctx, func(context.Context) error { return load.Once(probe) }); err != nil {
		return err
	}
	f.Targets, f.Secure = append(f.Targets, t), append(f.Secure, t)
	return nil
}

func port(addr string) string {
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return p
}

// startControl starts the daemon and the collector, which share a database.
func (f *Fleet) startControl(ctx context.Context, env []string) error {
	models, routing := filepath.Join(f.o.Dir, "models.yaml"), filepath.Join(f.o.Dir, "routing.yaml")
	if err := os.WriteFile(models, f.models(), 0o600); err != nil {
		return fmt.Errorf("write models.yaml: %w", err)
	}
	if err := os.WriteFile(routing, []byte("routing_strategy: none\n"), 0o600); err != nil {
		return fmt.Errorf("write routing.yaml: %w", err)
	}
	env = append(slices.Clip(env), "DB_BACKEND=sqlite", "STATE_DIR="+filepath.Join(f.o.Dir, "control-state"),
		"CONTROL_PORT="+port(f.addr.control), "MODELS_CONFIG="+models, "ROUTING_CONFIG="+routing)
	path := filepath.Join(f.o.Bin, "controlplane")
	daemon, err := f.launch(process.Options{Name: "control plane", Path: path, Args: []string{"serve"}, Env: env})
	if err != nil {
		return err
	}
	if err := daemon.Await(ctx, serves("http://"+f.addr.control+"/health")); err != nil {
		return err
	}
	f.collector, err = f.launch(process.Options{Name: "collector", Path: path, Args: []string{"collect"}, Env: env})
	return err
}

// models is a models.yaml with each of the models at two endpoints of the upstream,
// which differ in their path.
func (f *Fleet) models() []byte {
	var b bytes.Buffer
	b.WriteString("models:\n")
	for _, id := range f.o.Models {
		fmt.Fprintf(&b, "  - id: %s\n    provider: vllm\n    context_length: 1000000\n    pricing: {prompt: \"0.3\", completion: \"1.2\"}\n    route:\n", id)
		for _, side := range sides() {
			base := "http://" + f.addr.upstream
			if slices.Contains(f.o.Secure, id) {
				base = "https://" + f.addr.front
			}
			fmt.Fprintf(&b, "      - {id: %s, base_url: \"%s/%s/v1\", weight: 0.5}\n", side, base, side)
		}
	}
	return b.Bytes()
}

// sides are the endpoints of a model: ids, and prefixes of paths at the upstream.
func sides() []string { return []string{"a", "b"} }

// makeKey makes an API key, as an operator does. A daemon that has only just
// started answers 503 until it has opened its database.
func (f *Fleet) makeKey(ctx context.Context, token string) (string, error) {
	for {
		key, status, err := f.askForKey(ctx, token)
		switch {
		case err != nil:
			return "", fmt.Errorf("make an API key: %w", err)
		case status == http.StatusServiceUnavailable && ctx.Err() == nil:
			time.Sleep(50 * time.Millisecond)
		case key == "":
			return "", fmt.Errorf("make an API key: status %d without a key", status)
		default:
			return key, nil
		}
	}
}

func (f *Fleet) askForKey(ctx context.Context, token string) (key string, status int, err error) {
	body := []byte(`{"name":"bench","user":"bench","role":"admin"}`)
	if !f.o.Unlimited {
		body = []byte(`{"name":"bench","user":"bench","role":"admin","limits":[{"kind":"rpm","value":"1G"},{"kind":"tpm","value":"1000G"},` +
			`{"kind":"concurrency","value":"1M"},{"kind":"budget","value":"1M","reset":"month"}]}`)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.addr.control+"/admin/keys", bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // was read
	var made struct {
		Key string `json:"key"`
	}
	err = json.NewDecoder(resp.Body).Decode(&made)
	return made.Key, resp.StatusCode, err
}
