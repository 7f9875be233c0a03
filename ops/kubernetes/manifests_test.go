// Package kubernetes_test checks the files of this folder as a cluster would. It is a
// module of its own, so that the project does not depend on Kubernetes.
package kubernetes_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	strict "sigs.k8s.io/yaml"
)

// kinds are the objects that the files may have; each is decoded into Kubernetes' own
// type, in which an unknown field or a wrong type is an error.
var kinds = map[string]func() any{
	"v1 ConfigMap":                           func() any { return &core.ConfigMap{} },
	"v1 Service":                             func() any { return &core.Service{} },
	"apps/v1 Deployment":                     func() any { return &apps.Deployment{} },
	"autoscaling/v2 HorizontalPodAutoscaler": func() any { return &autoscaling.HorizontalPodAutoscaler{} },
	"policy/v1 PodDisruptionBudget":          func() any { return &policy.PodDisruptionBudget{} },
	"networking.k8s.io/v1 NetworkPolicy":     func() any { return &networking.NetworkPolicy{} },
}

// decode reads the objects of a file.
func decode(content []byte) (objects []any, err error) {
	for _, document := range bytes.Split(content, []byte("\n---\n")) {
		var kind meta.TypeMeta
		if err := strict.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		create := kinds[kind.APIVersion+" "+kind.Kind]
		if create == nil {
			return nil, fmt.Errorf("%s %s is not expected", kind.APIVersion, kind.Kind)
		}
		object := create()
		if err := strict.UnmarshalStrict(document, object); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// cluster is what the objects refer to in one another, by name.
type cluster struct {
	deployments map[string]*apps.Deployment
	configs     map[string]*core.ConfigMap
}

func (c cluster) add(objects []any) {
	for _, o := range objects {
		switch o := o.(type) {
		case *apps.Deployment:
			c.deployments[o.Name] = o
		case *core.ConfigMap:
			c.configs[o.Name] = o
		}
	}
}

// pods returns the deployment whose pods a selector finds.
func (c cluster) pods(selector map[string]string) *apps.Deployment {
	for _, d := range c.deployments {
		if len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(d.Spec.Template.Labels)) {
			return d
		}
	}
	return nil
}

// check returns what is wrong with an object.
func (c cluster) check(object any) error {
	switch o := object.(type) {
	case *apps.Deployment:
		return c.checkDeployment(o)
	case *core.Service:
		for _, p := range o.Spec.Ports {
			if err := c.checkPort(o.Spec.Selector, p.TargetPort.String()); err != nil {
				return fmt.Errorf("service %s: %w", o.Name, err)
			}
		}
	case *autoscaling.HorizontalPodAutoscaler:
		target := c.deployments[o.Spec.ScaleTargetRef.Name]
		switch {
		case target == nil:
			return fmt.Errorf("autoscaler %s: there is no deployment %s", o.Name, o.Spec.ScaleTargetRef.Name)
		case target.Spec.Replicas != nil:
			return fmt.Errorf("autoscaler %s: the deployment sets its replicas too", o.Name)
		case target.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().IsZero():
			return fmt.Errorf("autoscaler %s: the deployment requests no processor to measure against", o.Name)
		}
	case *policy.PodDisruptionBudget:
		if c.pods(o.Spec.Selector.MatchLabels) == nil {
			return fmt.Errorf("disruption budget %s finds no pods", o.Name)
		}
	case *networking.NetworkPolicy:
		for _, rule := range o.Spec.Ingress {
			for _, p := range rule.Ports {
				if err := c.checkPort(o.Spec.PodSelector.MatchLabels, p.Port.String()); err != nil {
					return fmt.Errorf("network policy %s: %w", o.Name, err)
				}
			}
			for _, from := range rule.From {
				if c.pods(from.PodSelector.MatchLabels) == nil {
					return fmt.Errorf("network policy %s lets nobody in", o.Name)
				}
			}
		}
	}
	return nil
}

func (c cluster) checkPort(selector map[string]string, port string) error {
	d := c.pods(selector)
	if d == nil {
		return errors.New("it finds no pods")
	}
	for _, container := range d.Spec.Template.Spec.Containers {
		for _, p := range container.Ports {
			if p.Name == port || fmt.Sprint(p.ContainerPort) == port {
				return nil
			}
		}
	}
	return fmt.Errorf("%s has no port %s", d.Name, port)
}

func (c cluster) checkDeployment(d *apps.Deployment) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("deployment %s: "+format, append([]any{d.Name}, args...)...)
	}
	pod := d.Spec.Template.Spec
	if !labels.SelectorFromSet(d.Spec.Selector.MatchLabels).Matches(labels.Set(d.Spec.Template.Labels)) {
		return wrong("its selector does not find its pods")
	}
	if pod.SecurityContext == nil || pod.SecurityContext.RunAsNonRoot == nil || !*pod.SecurityContext.RunAsNonRoot {
		return wrong("it may run as root")
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		if v.ConfigMap != nil && c.configs[v.ConfigMap.Name] == nil {
			return wrong("there is no config map %s", v.ConfigMap.Name)
		}
	}
	for _, container := range append(pod.InitContainers, pod.Containers...) {
		if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() {
			return wrong("%s has no limit on memory, or requests no processor", container.Name)
		}
		for _, m := range container.VolumeMounts {
			if !volumes[m.Name] {
				return wrong("%s mounts %s, which is no volume", container.Name, m.Name)
			}
		}
		for _, e := range container.Env {
			if from := e.ValueFrom; from != nil && from.ConfigMapKeyRef != nil {
				if config := c.configs[from.ConfigMapKeyRef.Name]; config == nil || config.Data[from.ConfigMapKeyRef.Key] == "" {
					return wrong("%s has no value", e.Name)
				}
			}
		}
	}
	for _, container := range pod.Containers {
		for _, probe := range []*core.Probe{container.ReadinessProbe, container.LivenessProbe} {
			if probe == nil {
				return wrong("%s lacks a probe", container.Name)
			}
			if probe.HTTPGet != nil && !hasPort(container, probe.HTTPGet.Port) {
				return wrong("a probe of %s asks port %s, which it has not", container.Name, probe.HTTPGet.Port.String())
			}
		}
	}
	return nil
}

func hasPort(c core.Container, port intstr.IntOrString) bool {
	for _, p := range c.Ports {
		if p.Name == port.String() || fmt.Sprint(p.ContainerPort) == port.String() {
			return true
		}
	}
	return false
}

// read decodes files and returns their objects and the whole cluster.
func read(files ...[]byte) ([]any, cluster, error) {
	c := cluster{map[string]*apps.Deployment{}, map[string]*core.ConfigMap{}}
	var all []any
	for _, content := range files {
		objects, err := decode(content)
		if err != nil {
			return nil, c, err
		}
		c.add(objects)
		all = append(all, objects...)
	}
	return all, c, nil
}

func validate(files ...[]byte) error {
	objects, c, err := read(files...)
	for _, o := range objects {
		err = errors.Join(err, c.check(o))
	}
	return err
}

func load(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(".", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Each file is what Kubernetes understands, and its parts fit one another.
func TestManifests(t *testing.T) {
	site, inference := load(t, "bgremover.yaml"), load(t, "inference.yaml")
	if err := validate(site); err != nil {
		t.Error(err)
	}
	if err := validate(site, inference); err != nil {
		t.Error(err)
	}
	objects, c, err := read(site, inference)
	if err != nil {
		t.Fatal(err)
	}
	if n := *c.deployments["bgremover"].Spec.Replicas; n < 2 {
		t.Errorf("the site has %d replicas", n)
	}
	if c.configs["bgremover-inference"].Data["BGREMOVER_REDIS_URL"] == "" {
		t.Error("the site's replicas share no counters")
	}
	scalers := 0
	for _, o := range objects {
		if _, ok := o.(*autoscaling.HorizontalPodAutoscaler); ok {
			scalers++
		}
	}
	if scalers != 1 {
		t.Errorf("there are %d autoscalers", scalers)
	}
}

// The check finds mistakes that people make.
func TestMistakesAreFound(t *testing.T) {
	site, inference := load(t, "bgremover.yaml"), string(load(t, "inference.yaml"))
	for change, says := range map[[2]string]string{
		{"readinessProbe: { httpGet: { path: /v2", "readynessProbe: { httpGet: { path: /v2"}: "readynessProbe",
		{"containerPort: 8001", "containerPort: eight"}:                                      "containerPort",
		{"targetPort: grpc", "targetPort: rpc"}:                                              "no port rpc",
		{"kind: Deployment, name: inference", "kind: Deployment, name: triton"}:              "no deployment triton",
		{"{ name: shm, mountPath", "{ name: shared, mountPath"}:                              "no volume",
		{"minReplicas: 2", "minimumReplicas: 2"}:                                             "minimumReplicas",
		{"key: BGREMOVER_REDIS_URL }", "key: REDIS_URL }"}:                                   "no value",
	} {
		broken := strings.Replace(inference, change[0], change[1], 1)
		if broken == inference {
			t.Errorf("the file does not have %q", change[0])
			continue
		}
		if err := validate(site, []byte(broken)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", change[1], err)
		}
	}
}
