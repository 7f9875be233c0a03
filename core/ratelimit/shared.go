package ratelimit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/ulule/limiter/v3"
	redisstore "github.com/ulule/limiter/v3/drivers/store/redis"
)

const (
	redisTimeout = 100 * time.Millisecond // for one whole look or charge
	redisProbe   = time.Second            // between attempts while it is lost
)

// shared is the counters and the blocks in Redis. No visitor waits for a Redis
// that is down: the first failure marks it lost, and from then on only the prober
// talks to it.
type shared struct {
	client *redis.Client
	store  atomic.Pointer[limiter.Store] // nil while lost
	blocks *blocks
	secret []byte
	losses atomic.Int64
	log    *slog.Logger
	lost   chan struct{}
	stop   context.CancelFunc
	done   chan struct{}
}

// minSecret is the minimum length of the secret: with a shorter one, or none,
// every address could be tried against the names in Redis.
const minSecret = 32

func newShared(o Options, b *blocks) (*shared, error) {
	if len(o.Secret) < minSecret {
		return nil, fmt.Errorf("shared counters in Redis require a secret of at least %d bytes", minSecret)
	}
	options, err := redis.ParseURL(o.RedisURL)
	if err != nil {
		return nil, fmt.Errorf("redis_url: %w", err)
	}
	options.DialTimeout, options.DialerRetries = 2*redisTimeout, 1
	options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = redisTimeout, redisTimeout, redisTimeout
	options.MaxRetries, options.ContextTimeoutEnabled = -1, true
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	redis.SetLogger(silence{}) // we log failures ourselves, once

	ctx, cancel := context.WithCancel(context.Background())
	s := &shared{client: redis.NewClient(options), blocks: b, secret: o.Secret, log: o.Log,
		lost: make(chan struct{}, 1), stop: cancel, done: make(chan struct{})}
	b.hide = func(device string) string { return s.hide("block:" + device) }
	if err := s.connect(); err != nil {
		s.tell(err)
	}
	s.exchange()
	go s.probe(ctx)
	return s, nil
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func (s *shared) close() error {
	s.stop()
	<-s.done
	return s.client.Close()
}

// connect loads the scripts, which proves that Redis responds and is writable.
func (s *shared) connect() error {
	store, err := redisstore.NewStoreWithOptions(s.client, limiter.StoreOptions{Prefix: "bgremover"})
	if err == nil {
		s.store.Store(&store)
	}
	return err
}

// probe tries to reconnect while Redis is lost; otherwise it fetches the blocks of
// other replicas.
func (s *shared) probe(ctx context.Context) {
	defer close(s.done)
	for {
		pause := blocksEvery
		if s.store.Load() == nil {
			pause = redisProbe
		}
		select {
		case <-ctx.Done():
			return
		case <-s.lost:
		case <-time.After(pause):
			if s.store.Load() == nil && s.connect() == nil {
				s.blocks.resend()
				s.log.Info("Redis responds again; counters are shared")
			}
			s.exchange()
		}
	}
}

// tally counts in Redis and marks it lost if it does not respond in time.
func (s *shared) tally(ctx context.Context, buckets []bucket, cost int64, each func(int, limiter.Context)) {
	store := s.store.Load()
	if store == nil {
		return
	}
	hidden := make([]bucket, len(buckets))
	for i, b := range buckets {
		hidden[i] = b
		hidden[i].key = s.hide(b.key)
	}
	// A visitor who leaves is not a failure of Redis.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTimeout)
	defer cancel()
	if err := count(ctx, *store, hidden, cost, each); err != nil {
		s.fail(store, err)
	}
}

// exchange brings the blocks up to date; while Redis is lost they wait.
func (s *shared) exchange() {
	store := s.store.Load()
	if store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
	defer cancel()
	if err := s.blocks.exchange(ctx, s.client); err != nil {
		s.fail(store, err)
	}
}

func (s *shared) reset(ctx context.Context, b bucket) {
	store := s.store.Load()
	if store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTimeout)
	defer cancel()
	if _, err := (*store).Reset(ctx, s.hide(b.key), b.rate); err != nil {
		s.fail(store, err)
	}
}

// fail marks Redis lost; of several calls, only the first logs it.
func (s *shared) fail(store *limiter.Store, err error) {
	if !s.store.CompareAndSwap(store, nil) {
		return
	}
	s.tell(err)
	select {
	case s.lost <- struct{}{}:
	default: // the prober has yet to see the last loss, and will look
	}
}

func (s *shared) tell(err error) {
	s.log.Warn("Redis does not respond; this replica counts on its own", "error", err.Error()) // with %+v, as slog formats errors, it has a stack trace
	s.losses.Add(1)
}

// hide keeps addresses and devices out of Redis and its files.
func (s *shared) hide(key string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(key))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
