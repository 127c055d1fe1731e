// Package helm has the tests of the chart: what it renders is held against
// Kubernetes' own types, and compared with golden files.
package helm_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load("gateway")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render returns the manifests by file, or what the chart says against the values.
func render(t *testing.T, c *chart.Chart, values []byte) (map[string]string, error) {
	t.Helper()
	v, err := chartutil.ReadValues(values)
	if err != nil {
		return nil, err
	}
	all, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: "llm", Namespace: "gw", Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, all)
}

// kinds are the types that each document is decoded into; unknown members are errors.
func kinds() map[string]any {
	return map[string]any{
		"v1/ConfigMap": &corev1.ConfigMap{}, "v1/Service": &corev1.Service{}, "apps/v1/Deployment": &appsv1.Deployment{},
		"apps/v1/StatefulSet": &appsv1.StatefulSet{}, "policy/v1/PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
		"autoscaling/v2/HorizontalPodAutoscaler": &autoscalingv2.HorizontalPodAutoscaler{}, "networking.k8s.io/v1/Ingress": &networkingv1.Ingress{},
		"networking.k8s.io/v1/NetworkPolicy": &networkingv1.NetworkPolicy{},
		// of operators; their members are in the golden files
		"keda.sh/v1alpha1/ScaledObject": &map[string]any{}, "monitoring.coreos.com/v1/PodMonitor": &map[string]any{},
	}
}

func TestChart(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d sets of values, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			values, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			rendered, err := render(t, load(t), values)
			if err != nil {
				t.Fatal(err)
			}
			var all bytes.Buffer
			for _, name := range slices.Sorted(maps.Keys(rendered)) {
				for _, doc := range strings.Split(rendered[name], "\n---\n") {
					if doc = strings.TrimSpace(doc); doc == "" || doc == "---" {
						continue
					}
					all.WriteString("---\n" + doc + "\n")
					if strings.HasSuffix(name, ".yaml") {
						check(t, name, doc)
					}
				}
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, all.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(want, all.Bytes()) {
				t.Errorf("%s is not what is rendered (-update writes it anew): %v", golden, err)
			}
		})
	}
}

// check decodes a document strictly.
func check(t *testing.T, name, doc string) {
	t.Helper()
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
		t.Errorf("%s: %v\n%s", name, err, doc)
		return
	}
	into, ok := kinds()[head.APIVersion+"/"+head.Kind]
	if !ok {
		t.Errorf("%s: %s %s is not known to the test", name, head.APIVersion, head.Kind)
		return
	}
	if err := yaml.UnmarshalStrict([]byte(doc), into); err != nil {
		t.Errorf("%s: %v\n%s", name, err, doc)
	}
}

// Values that are wrong are refused by name.
func TestWrongValues(t *testing.T) {
	f := func(values, want string) {
		t.Helper()
		if _, err := render(t, load(t), []byte(values)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not contain %q", values, err, want)
		}
	}
	f("dataplane: {replica: 3}", "replica")
	f("dataplane: {replicas: 0}", "replicas")
	f("nats: {url: nats.nats}", "url")
	f("nats: {replicas: 2}", "replicas")
	f("database: {sslmode: maybe}", "sslmode")
	f("env: {log-format: json}", "log-format")
	f("secrets: {existingSecret: ''}", "existingSecret")
	f("dataplane: {autoscaling: {enabled: true}, keda: {enabled: true}}", "mutually exclusive")
}

// A role gets its own credentials and no others, and the signing key only who signs.
func TestRolesKeepTheirSecrets(t *testing.T) {
	values, err := os.ReadFile("testdata/secured.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := render(t, load(t), values)
	if err != nil {
		t.Fatal(err)
	}
	f := func(file string, has, hasNot []string) {
		t.Helper()
		text := rendered["gateway/templates/"+file]
		for _, want := range has {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not have %q", file, want)
			}
		}
		for _, no := range hasNot {
			if strings.Contains(text, no) {
				t.Errorf("%s has %q", file, no)
			}
		}
	}
	f("dataplane.yaml", []string{"dataplane.creds", "release_signing_key.pub", "API_KEY_SECRET", "gateway-upstreams"}, []string{"controlplane.creds", "key: release_signing_key,", "ADMIN_TOKEN", "DB_PASSWORD"})
	f("collector.yaml", []string{"collector.creds", "DB_PASSWORD"}, []string{"release_signing_key", "ADMIN_TOKEN", "API_KEY_SECRET", "gateway-upstreams"})
	f("controlplane.yaml", []string{"controlplane.creds", "key: release_signing_key,", "ADMIN_TOKEN", "gateway-upstreams"}, []string{"dataplane.creds", "collector.creds"})
}
