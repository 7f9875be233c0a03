package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/testing/ports"
)

// recipe returns the block of ops/inference.md that contains a text, as a reader copies it.
func recipe(t *testing.T, contains string) string {
	t.Helper()
	page, err := os.ReadFile("../../ops/inference.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile(`(?m)(^    .*\n)+`).FindAllString(string(page), -1) {
		if strings.Contains(block, contains) {
			return block
		}
	}
	t.Fatalf("ops/inference.md has no block with %q", contains)
	return ""
}

// certificates makes those of the recipe, in a folder.
func certificates(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	sh := exec.Command("sh", "-ec", recipe(t, "openssl req"))
	sh.Dir = folder
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

// tritonTLS are the flags of the recipe for Triton.
func tritonTLS(t *testing.T, folder string) []string {
	t.Helper()
	return strings.Fields(strings.NewReplacer("-cert=", "-cert="+folder+"/", "-key=", "-key="+folder+"/").Replace(recipe(t, "--grpc-use-ssl-mutual")))
}

// siteTLS are the arguments of the recipe for the site, for a server at an address.
func siteTLS(t *testing.T, folder, address string) (args []string) {
	t.Helper()
	text := strings.NewReplacer("gpu1.example:8443", address, "/etc/ssl/inference", folder, "{model}-{size}", "mean").Replace(recipe(t, "site-key.pem\"]"))
	for _, quoted := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(text, -1) {
		args = append(args, quoted[1])
	}
	return args
}

// The recipe's certificates let the site in and nobody else, at a server that asks for
// them itself, and at one that has the recipe's nginx before it.
func TestRecipeOfTLS(t *testing.T) {
	folder := certificates(t)
	for name, s := range map[string]func() (address string){
		"its own": func() string {
			pair, err := tls.LoadX509KeyPair(folder+"/server.pem", folder+"/server-key.pem")
			if err != nil {
				t.Fatal(err)
			}
			authority, err := os.ReadFile(folder + "/ca.pem")
			if err != nil {
				t.Fatal(err)
			}
			clients := x509.NewCertPool()
			clients.AppendCertsFromPEM(authority)
			return serve(t, &testServer{}, grpc.Creds(credentials.NewTLS(&tls.Config{
				Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
			}))).address
		},
		"nginx": func() string {
			return startNginx(t, strings.NewReplacer("/etc/ssl/inference", folder, "127.0.0.1:8001", serve(t, &testServer{}).address).
				Replace(recipe(t, "grpc_pass")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			args := siteTLS(t, folder, s())
			segment(t, start(t, args...), "")
			p, err := command(args[:len(args)-4]...).Start(t.Context()) // without -cert and -key
			if err != nil {
				t.Fatal(err)
			}
			defer p.Kill()
			_, err = p.Client.Describe(t.Context())
			if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), "give one with -cert and -key") {
				t.Errorf("without a certificate of its own: %v", err)
			}
		})
	}
}

// startNginx runs nginx with a server of the recipe, until the test ends.
func startNginx(t *testing.T, server string) (address string) {
	t.Helper()
	address, folder := ports.Free(t), t.TempDir()
	conf := "daemon off; pid nginx.pid; events {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "scgi", "uwsgi"} {
		conf += kind + "_temp_path temp;\n"
	}
	conf += strings.Replace(server, "listen 8443", "listen "+address, 1) + "}\n"
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	nginx := exec.CommandContext(t.Context(), "nginx", "-p", folder, "-c", file, "-e", "stderr")
	nginx.Cancel = func() error { return nginx.Process.Signal(syscall.SIGTERM) }
	var said strings.Builder
	nginx.Stderr = &said
	if err := nginx.Start(); err != nil {
		t.Fatalf("run `make test-tools`: %v", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = nginx.Wait() }()
	t.Cleanup(func() { <-ended })
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return address
		}
		select {
		case <-ended:
			t.Fatalf("nginx ended: %s", said.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
