// Package drill_test stages ten faults on running servers. Of each it checks what an
// operator woken at night finds: a sentence on the page, a metric that shows it, the
// alert that fires, and the entry of the runbook that ends it.
package drill_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"image"
	"image/jpeg"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bgremover.pro/ops/testing/ports"
)

// fault is one of them.
type fault struct {
	name string
	// stage starts a server and returns it with what makes it fail; that runs until the
	// page and the metrics show it.
	stage  func(*testing.T, programs) (s *server, fail func())
	says   string // the page, as a pattern
	metric string // the metrics, as a pattern
	alerts []string
	// end does what the runbook says ends it; nil where it ends with its cause, or only
	// with a restart or time.
	end func(*testing.T, *server)
}

// programs are the backends that are staged.
type programs struct{ fake, remote string }

var faults = []fault{
	{"a backend crashes again and again", func(t *testing.T, p programs) (*server, func()) {
		return serve(t, p.fake, []string{"-fault", "exit"}), nil
	}, `Photos are refused, as no backend serves: .*not ready .*staged\s+failed .*exited with status 3.*next try in`, `bgremover_backend_restarts_total\{backend="staged"\} [3-9].*\sbgremover_backend_state\{backend="staged",state="failed"\} 1.*\sbgremover_ready 0`, []string{"BGRemoverBackendFailed", "BGRemoverBackendRestarts", "BGRemoverNotReady"}, useTheProcessor},

	{"the disk is full", func(t *testing.T, p programs) (*server, func()) {
		disk := t.TempDir()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256k"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
		s := serve(t, p.fake, nil, "BGREMOVER_LOG_DIR="+filepath.Join(disk, "logs"))
		s.disk = disk
		var once sync.Once
		return s, func() {
			once.Do(func() { _ = os.WriteFile(filepath.Join(disk, "ballast"), make([]byte, 256<<10), 0o600) }) // as much as there is room for
			s.visit("/", 1)
		}
	}, `Needs doing .*The disk of \S+ is nearly full: \S+ MB left\.`, `bgremover_access_log_dropped_total [1-9]`, []string{"BGRemoverDiskFull", "BGRemoverLogLinesLost"}, func(t *testing.T, s *server) {
		if err := os.Remove(filepath.Join(s.disk, "ballast")); err != nil {
			t.Error(err)
		}
	}},

	{"Redis is down", func(t *testing.T, p programs) (*server, func()) {
		redis := ports.Free(t)
		s := serve(t, p.fake, nil, "BGREMOVER_REDIS_URL=redis://"+redis+"/0", "BGREMOVER_DEVICE_SECRET="+strings.Repeat("secret", 6))
		s.redis = redis
		return s, func() { s.send(1, small) }
	}, `Redis does not respond, so this replica counts on its own`, `bgremover_limit_store_degraded 1`, []string{"BGRemoverRedisLost"}, func(t *testing.T, s *server) {
		run(t, "redis-server", "--port", strings.TrimPrefix(s.redis, "127.0.0.1:"), "--save", "")
	}},

	{"the model's file is damaged", func(t *testing.T, p programs) (*server, func()) {
		s := serve(t, p.fake, nil)
		var once sync.Once
		return s, func() {
			once.Do(func() {
				file := filepath.Join(s.data, "models", "isnet.onnx")
				if err := os.Remove(file); err == nil {
					_ = os.WriteFile(file, []byte("half a model"), 0o600)
				}
			})
		}
	}, `The default model cannot be loaded again once its backend restarts: isnet\.onnx is damaged: it has 12 bytes`, `bgremover_model_damaged 1`, []string{"BGRemoverModelDamaged"}, func(t *testing.T, s *server) {
		cmd := exec.Command("../../bin/bgremover", "models", "pull", "--from", filepath.Join(installed(t), "models"), "--runtime", "cpu")
		cmd.Env = append(os.Environ(), "BGREMOVER_DATA_DIR="+s.data)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}},

	{"the queue is full", func(t *testing.T, p programs) (*server, func()) {
		s := serve(t, p.fake, []string{"-delay", "2s"}, "BGREMOVER_QUEUE=1", "BGREMOVER_WORKERS=1")
		return s, func() { s.send(6, small) }
	}, `The queue is full: \d+ photos were refused in the last seconds`, `bgremover_queue_rejections_total [1-9]`, []string{"BGRemoverQueueFull"}, stopIt},

	{"the certificate has expired", func(t *testing.T, p programs) (*server, func()) {
		cert, key := expired(t)
		return serve(t, p.fake, nil, "BGREMOVER_TLS_CERT="+cert, "BGREMOVER_TLS_KEY="+key), nil
	}, `The certificate of the public listener expired on [\d: -]+: browsers refuse it\.`, `bgremover_certificate_expires_timestamp_seconds\{listener="public"\} \d`, []string{"BGRemoverCertificate"}, nil},

	{"the clock jumps", func(t *testing.T, _ programs) (*server, func()) {
		var offset atomic.Int64
		s := clocked(t, func() time.Time { return time.Now().Add(time.Duration(offset.Load())) })
		return s, func() { offset.Store(int64(2 * time.Hour)) }
	}, `The clock jumped by 2h0m0s at [\d: -]+ UTC`, `bgremover_clock_jumps_total 1`, []string{"BGRemoverClockJump"}, nil},

	{"the remote servers are dead", func(t *testing.T, p programs) (*server, func()) {
		return serve(t, p.remote, []string{"-endpoint", "grpc://127.0.0.1:1"}), nil
	}, `Photos are refused, as no backend serves: .*not ready .*staged .*(failed|unavailable) .*127\.0\.0\.1:1: .*connection refused`, `bgremover_backend_state\{backend="staged",state="(failed|unavailable)"\} 1.*\sbgremover_ready 0`, []string{"BGRemoverBackendFailed", "BGRemoverNotReady"}, useTheProcessor},

	{"memory is tight", func(t *testing.T, p programs) (*server, func()) {
		s := serve(t, p.fake, []string{"-delay", "1s"}, "BGREMOVER_MEMORY=160MiB", "BGREMOVER_MAX_UPLOAD=8MiB", "BGREMOVER_WORKERS=4")
		return s, func() { s.send(4, large) }
	}, `Photos wait for memory, which large photos and results that are not fetched hold`, `bgremover_queue_memory_tight 1`, []string{"BGRemoverMemoryTight"}, stopIt},

	{"a flood from one network", func(t *testing.T, p programs) (*server, func()) {
		s := serve(t, p.fake, nil, "BGREMOVER_LIMITS_DEVICE=5/1h", "BGREMOVER_LIMITS_NETWORK=5/1h")
		return s, func() { s.send(200, small) }
	}, `Limits and queue refuse \d+ requests a second; see “Busiest devices”`, `bgremover_limit_hits_total\{limit="network"\} \d{3}`, []string{"BGRemoverFlood"}, stopIt},
}

// useTheProcessor presses the page's button.
func useTheProcessor(t *testing.T, s *server) {
	t.Helper()
	answer := s.do(http.MethodPost, "/backends/active", strings.NewReader("name=onnx-cpu"))
	if !strings.Contains(answer, `"name":"onnx-cpu","state":"ready"`) {
		t.Errorf("the switch: %s", answer)
	}
}

// stopIt does nothing more: what causes it has stopped.
func stopIt(*testing.T, *server) {}

// An open page shows within its refresh what the server answers; an operator should not
// have to wait longer than soon.
const (
	refresh = 5 * time.Second
	soon    = 15 * time.Second
)

func TestDrill(t *testing.T) {
	if os.Getenv("DRILL") == "" {
		t.Skip("staged by make drill")
	}
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	p := programs{build(t, dir, "fakebackend", "bgremover.pro/plugins/fakebackend"), build(t, dir, "open-inference", "bgremover.pro/plugins/openinference")}
	runbook, err := os.ReadFile("../runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	pictures := newPhotographer(t)
	episodes := make([]episode, len(faults)+1)
	t.Run("faults", func(t *testing.T) {
		t.Run("none", func(t *testing.T) {
			t.Parallel()
			s := serve(t, p.fake, nil)
			s.await(s.page, `Serving\s+staged on cpu`)
			before := scraped(s.metrics())
			s.send(1, small)
			_, after := s.await(s.metrics, `bgremover_photos_total\{outcome="(ok|unsure|no_subject)"\} 1`)
			episodes[len(faults)] = episode{"nothing fails", before, scraped(after), nil}
			if strings.Contains(s.page(), "Needs doing") {
				t.Error("a false alarm")
			}
		})
		for i, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				s, fail := f.stage(t, p)
				before := scraped(s.metrics())
				began := time.Now() // where nothing need be done to it, it fails since its start
				stop := repeat(fail)
				stop = sync.OnceFunc(stop)
				defer stop()
				said, _ := s.await(s.page, f.says)
				seen := time.Since(began) + refresh
				metric, after := s.await(s.metrics, f.metric)
				episodes[i] = episode{f.name, before, scraped(after), f.alerts}
				said, metric = said[max(0, len(said)-200):], metric[:min(100, len(metric))]
				if seen > soon {
					t.Errorf("the page shows it after %v", seen)
				}
				pictures.take(t, s, f.name)
				t.Logf("after %v at most the page says: %s\nmetric: %s\nalerts and runbook entries: %s", seen.Round(time.Second/10), said, metric, strings.Join(f.alerts, ", "))
				for _, alert := range f.alerts {
					if !bytes.Contains(runbook, []byte("\n## "+alert+"\n")) {
						t.Errorf("the runbook has no entry %s", alert)
					}
				}
				if stop(); f.end != nil {
					f.end(t, s)
					s.awaitEnd(f.says)
				}
			})
		}
	})
	if !t.Failed() {
		fire(t, episodes)
	}
}

// inNamespace runs the test once more in a process that may mount, and reports whether
// this is that process.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const inside = "DRILL_NAMESPACE"
	if os.Getenv(inside) != "" {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", fmt.Sprint("-test.parallel=", len(faults)+1)) // they wait more than they work
	cmd.Env = append(os.Environ(), inside+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if t.Log(string(out)); err != nil {
		t.Error(err)
	}
	return false
}

// repeat does something again and again until it is stopped.
func repeat(do func()) (stop func()) {
	if do == nil {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			do()
			select {
			case <-end:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return func() { close(end); <-ended }
}

var small, large = photo(64), photo(1000)

func photo(side int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, side, side), image.YCbCrSubsampleRatio420), nil); err != nil {
		panic(err) // memory does not fail
	}
	return b.Bytes()
}

var senders atomic.Int64

// send sends photos at once, each by another device of one network, and waits for the
// answers, whatever they are.
func (s *server) send(photos int, picture []byte) {
	var all sync.WaitGroup
	for range photos {
		all.Go(func() {
			r, err := http.NewRequest(http.MethodPost, "http://"+s.public+"/api/v1/cutouts?mode=fast", bytes.NewReader(picture))
			if err != nil {
				return
			}
			r.Header.Set("User-Agent", fmt.Sprint("drill/", senders.Add(1)))
			if answer, err := http.DefaultClient.Do(r); err == nil {
				answer.Body.Close()
			}
		})
	}
	all.Wait()
}

func (s *server) visit(path string, times int) {
	for range times {
		if answer, err := http.Get("http://" + s.public + path); err == nil {
			answer.Body.Close()
		}
	}
}

// expired makes a certificate of yesterday.
func expired(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: time.Now().AddDate(0, 0, -1), DNSNames: []string{"example.org"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
