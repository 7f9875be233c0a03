package ratelimit

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a real Redis on a port of its own.
type server struct {
	t    *testing.T
	port string
	cmd  *exec.Cmd
}

func startRedis(t *testing.T) *server {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	s := &server{t: t, port: port}
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) url() string { return "redis://127.0.0.1:" + s.port + "/0" }

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.t.TempDir())
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("redis-server (see ops/testing/packages.txt): %v", err)
	}
	client := s.client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	for client.Ping(ctx).Err() != nil { // waits inside by dialling again
		if ctx.Err() != nil {
			s.t.Fatal("redis-server does not answer")
		}
	}
}

func (s *server) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + s.port, DialerRetries: 100})
}

func (s *server) stop() {
	s.signal(syscall.SIGKILL)
	_ = s.cmd.Wait()
}

func (s *server) signal(sig os.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil && !strings.Contains(err.Error(), "finished") {
		s.t.Error(err)
	}
}

// messages hands on what the limiter logs.
type messages chan string

func (messages) Enabled(context.Context, slog.Level) bool { return true }
func (m messages) WithAttrs([]slog.Attr) slog.Handler     { return m }
func (m messages) WithGroup(string) slog.Handler          { return m }
func (m messages) Handle(_ context.Context, r slog.Record) error {
	m <- r.Message
	return nil
}

func (m messages) await(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-m:
		if !strings.Contains(got, want) {
			t.Fatalf("logged %q, want %q", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("nothing logged within 30 s, want %q", want)
	}
}

const secret = "a secret that all replicas share."

func replica(t *testing.T, url string) (*Limiter, messages) {
	m := make(messages, 10)
	return make1(t, Options{RedisURL: url, Secret: []byte(secret), Log: slog.New(m),
		Rules: Rules{Device: Rate{10, time.Hour}, Network: Rate{20, time.Hour}}}), m
}

// passing says how many of n charges are allowed.
func passing(n int, charge func() bool) (passed int) {
	for range n {
		if charge() {
			passed++
		}
	}
	return passed
}

var visitor = Key{Device: "a", Addr: netipAddr}

var netipAddr = addr("192.0.2.1")

func TestReplicasShareTheirCounters(t *testing.T) {
	s := startRedis(t)
	one, _ := replica(t, s.url())
	two, _ := replica(t, s.url())
	passed := 0
	for i := range 30 {
		if []*Limiter{one, two}[i%2].Charge(t.Context(), visitor, 1).Allowed {
			passed++
		}
	}
	if passed != 10 {
		t.Errorf("%d passed on two replicas, want 10", passed)
	}
	one.Clear(t.Context(), "a")
	if got := two.Peek(t.Context(), visitor).Quotas[0].Remaining; got != 5 {
		t.Errorf("%d left at the replica that has counted 5 itself", got)
	}
	if got := one.Peek(t.Context(), visitor).Quotas[0].Remaining; got != 10 {
		t.Errorf("%d left after clearing", got)
	}
	client := s.client()
	defer client.Close()
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		if ttl := client.TTL(t.Context(), key).Val(); ttl <= 0 || len(key) != len("bgremover:")+22 {
			t.Errorf("key %q (TTL %v) does not end, or is no hash", key, ttl)
		}
	}
}

func TestRedisIsLostAndComesBack(t *testing.T) {
	s := startRedis(t)
	l, log := replica(t, s.url())
	charge := func() bool { return l.Charge(t.Context(), visitor, 1).Allowed }
	for range 4 {
		charge()
	}
	s.stop()
	for range 3 {
		if !charge() { // 7 so far: memory had counted along
			t.Error("refused although there was quota left")
		}
	}
	log.await(t, "counts on its own")
	if degraded, losses := l.Degraded(); !degraded || losses != 1 {
		t.Errorf("degraded = %t, %d losses", degraded, losses)
	}
	s.start() // and it has forgotten everything
	log.await(t, "responds again")
	if passed := passing(10, charge); passed != 3 {
		t.Errorf("%d passed after Redis came back empty, want 3", passed)
	}
	if degraded, _ := l.Degraded(); degraded {
		t.Error("still degraded")
	}
}

func TestRedisThatHangs(t *testing.T) {
	s := startRedis(t)
	l, log := replica(t, s.url())
	s.signal(syscall.SIGSTOP)
	for range 10 {
		if !l.Charge(t.Context(), visitor, 1).Allowed {
			t.Error("refused because Redis hangs")
		}
	}
	log.await(t, "counts on its own")
	if l.Charge(t.Context(), visitor, 1).Allowed {
		t.Error("nothing counts while Redis hangs")
	}
	s.signal(syscall.SIGCONT)
	log.await(t, "responds again")
}

// slowly stands before Redis and holds each of its answers back for as long as
// delay says. It returns its URL.
func (s *server) slowly(delay *atomic.Int64) string {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	var all sync.WaitGroup
	s.t.Cleanup(func() { listener.Close(); all.Wait() })
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.relay(client, delay) })
		}
	})
	return "redis://" + listener.Addr().String() + "/0"
}

func (s *server) relay(client net.Conn, delay *atomic.Int64) {
	defer client.Close()
	redis, err := net.Dial("tcp", "127.0.0.1:"+s.port)
	if err != nil {
		return
	}
	defer redis.Close()
	go func() { // ends with the client, which the limiter closes
		_, _ = io.Copy(redis, client)
		redis.Close()
	}()
	answer := make([]byte, 64<<10)
	for {
		n, err := redis.Read(answer)
		if err != nil {
			return
		}
		<-time.After(time.Duration(delay.Load()))
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}

// A Redis that answers, but later than anybody would wait, is as good as lost
// while it does; its late answers are taken for nobody else's.
func TestRedisThatIsSlow(t *testing.T) {
	s := startRedis(t)
	var delay atomic.Int64
	l, log := replica(t, s.slowly(&delay))
	charge := func() bool { return l.Charge(t.Context(), visitor, 1).Allowed }
	for range 4 {
		charge()
	}
	delay.Store(int64(3 * redisTimeout))
	for range 3 {
		if !charge() {
			t.Error("refused because Redis is slow")
		}
	}
	log.await(t, "counts on its own")
	if degraded, losses := l.Degraded(); !degraded || losses != 1 {
		t.Errorf("degraded = %t, %d losses", degraded, losses)
	}
	delay.Store(0)
	log.await(t, "responds again")
	if passed := passing(10, charge); passed != 3 {
		t.Errorf("%d passed once Redis was quick again, want 3", passed)
	}
}

func TestRedisThatIsNotThereIsNoFailedStart(t *testing.T) {
	s := startRedis(t)
	s.stop()
	l, log := replica(t, s.url())
	log.await(t, "counts on its own")
	if !l.Charge(t.Context(), visitor, 1).Allowed {
		t.Error("refused without Redis")
	}
	s.start()
	log.await(t, "responds again")
	if _, err := New(Options{RedisURL: "http://nonsense", Secret: []byte(secret)}); err == nil {
		t.Error("a URL that is none was accepted")
	}
}

// TestNobodyFindsAnAddressInRedis tries every address of the visitor's /16
// under the keys that somebody who reads Redis could guess.
func TestNobodyFindsAnAddressInRedis(t *testing.T) {
	s := startRedis(t)
	for _, short := range []string{"", "too short to hide anything"} {
		if _, err := New(Options{RedisURL: s.url(), Secret: []byte(short)}); err == nil || !strings.Contains(err.Error(), "secret") {
			t.Errorf("secret %q: %v", short, err)
		}
	}
	l, _ := replica(t, s.url())
	l.Charge(t.Context(), visitor, 1)
	client := s.client()
	defer client.Close()
	stored, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(stored) < 2 {
		t.Fatalf("%v, %v", stored, err)
	}
	find := func(guess *shared) bool {
		for third := range 256 {
			for fourth := range 256 {
				who := visitor
				who.Addr = netip.AddrFrom4([4]byte{192, 0, byte(third), byte(fourth)})
				for _, b := range l.rules.Load().buckets(who)[1:] {
					if slices.ContainsFunc(stored, func(key string) bool { return strings.Contains(key, guess.hide(b.key)) }) {
						return true
					}
				}
			}
		}
		return false
	}
	if find(&shared{}) || find(&shared{secret: []byte("bgremover")}) {
		t.Error("the address was found without the secret")
	}
	if !find(&shared{secret: []byte(secret)}) {
		t.Error("the search finds nothing even with the secret, so that it proves nothing")
	}
}

func TestAVisitorWhoLeavesIsNoOutage(t *testing.T) {
	s := startRedis(t)
	l, _ := replica(t, s.url())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	l.Charge(gone, visitor, 1)
	if degraded, _ := l.Degraded(); degraded {
		t.Error("a cancelled request counted as an outage")
	}
}

func TestRedisLosesItsScripts(t *testing.T) {
	s := startRedis(t)
	l, _ := replica(t, s.url())
	client := s.client()
	defer client.Close()
	if err := client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	l.Charge(t.Context(), visitor, 1)
	if degraded, _ := l.Degraded(); degraded {
		t.Error("flushed scripts counted as an outage")
	}
}
