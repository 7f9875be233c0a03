package edgetest

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bgremover.pro/ops/testing/ports"
)

// edge is a proxy in front of an origin.
type edge struct {
	name   string
	origin *origin
	url    string
	dir    string // everything that it may write
	// caches is false for the one that has no cache; ours for the
	// configurations that ops/ ships.
	caches, ours bool
	// empty forgets what the edge holds.
	empty func()
}

type kind struct {
	name  string
	start func(testing.TB, *origin) *edge
}

var (
	varnishBuiltin = kind{"varnish built-in", startVarnishBuiltin}
	varnishOurs    = kind{"varnish", startVarnish}
	nginxOurs      = kind{"nginx", startNginx}
	nginxHostile   = kind{"nginx hostile", startNginxHostile}
	caddy          = kind{"caddy", startCaddy}

	caching = []kind{varnishBuiltin, varnishOurs, nginxOurs, nginxHostile}
	all     = append(caching[:4:4], caddy)
	ours    = []kind{varnishOurs, nginxOurs}
)

// behind runs a test behind each edge, each with an origin of its own.
func behind(t *testing.T, kinds []kind, test func(*testing.T, *edge)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			e := k.start(t, startOrigin(t))
			e.name = k.name
			test(t, e)
		})
	}
}

func startVarnishBuiltin(t testing.TB, o *origin) *edge {
	return runVarnish(t, o, "-b", o.address)
}

func startVarnish(t testing.TB, o *origin) *edge {
	vcl := shipped(t, "varnish/bgremover.vcl", `.port = "8080"`, `.port = "`+o.port()+`"`)
	file := write(t, filepath.Join(t.TempDir(), "bgremover.vcl"), vcl)
	e := runVarnish(t, o, "-f", file, "-p", "http_gzip_support=off")
	e.ours = true
	return e
}

func runVarnish(t testing.TB, o *origin, args ...string) *edge {
	t.Helper()
	dir, address := t.TempDir(), ports.Free(t)
	p := startProcess(t, "varnishd", append([]string{
		"-j", "none", "-F", "-n", dir, "-a", address, "-s", "default,64m", "-s", "Transient=malloc,256m", "-p", "thread_pool_min=20", "-p", "vsl_space=8m",
	}, args...)...)
	p.answering(address)
	return &edge{origin: o, url: "http://" + address, dir: dir, caches: true, empty: func() {
		if out, err := exec.Command(program(t, "varnishadm"), "-n", dir, "ban", "obj.status", "!=", "0").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}}
}

func startNginx(t testing.TB, o *origin) *edge {
	e := &edge{origin: o, ours: true}
	e.runNginx(t, func(dir, address string) string {
		return shipped(t, "nginx/bgremover.conf",
			"/var/cache/nginx/bgremover", dir+"/cache", "127.0.0.1:8080", o.address, "listen 80;", "listen "+address+";")
	})
	return e
}

// startNginxHostile keeps whatever may be kept by anyone, for an hour, and
// tells neither queries nor methods apart.
func startNginxHostile(t testing.TB, o *origin) *edge {
	e := &edge{origin: o}
	e.runNginx(t, func(dir, address string) string {
		return `proxy_cache_path ` + dir + `/cache keys_zone=all:10m;
			server {
				listen ` + address + `;
				client_max_body_size 0;
				location / {
					proxy_pass http://` + o.address + `;
					proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
					proxy_set_header X-Forwarded-Host $http_x_forwarded_host;
					proxy_cache all;
					proxy_cache_key $uri;
					proxy_cache_valid any 1h;
					proxy_cache_methods GET HEAD POST;
				}
			}`
	})
	return e
}

func (e *edge) runNginx(t testing.TB, site func(dir, address string) string) {
	t.Helper()
	dir, address := t.TempDir(), ports.Free(t)
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += kind + "_temp_path " + dir + "/" + kind + ";\n"
	}
	file := write(t, filepath.Join(t.TempDir(), "nginx.conf"), user+`
		daemon off;
		worker_processes 1;
		error_log stderr warn;
		pid `+filepath.Join(t.TempDir(), "pid")+`;
		events { worker_connections 512; }
		http { access_log off; `+temporary+site(dir, address)+` }`)
	p := startProcess(t, "nginx", "-e", "stderr", "-p", dir, "-c", file)
	p.answering(address)
	e.url, e.dir, e.caches = "http://"+address, dir, true
	e.empty = func() {
		err := filepath.WalkDir(dir+"/cache", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return os.Remove(path)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func startCaddy(t testing.TB, o *origin) *edge {
	t.Helper()
	address := ports.Free(t)
	_, port, _ := net.SplitHostPort(address)
	site := shipped(t, "caddy/Caddyfile",
		"bgremover.example {", "http://127.0.0.1:"+port+", http://localhost:"+port+" {", "127.0.0.1:8080 {", o.address+" {",
		"\tservers {", "\tadmin off\n\tservers {")
	file := write(t, filepath.Join(t.TempDir(), "Caddyfile"), site)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	p := startProcess(t, "caddy", "run", "--adapter", "caddyfile", "--config", file)
	p.answering(address)
	return &edge{origin: o, url: "http://" + address, ours: true, dir: dir, empty: func() {}}
}
