package ratelimit

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

const (
	maxDevices = 1024           // listed at a time
	forgetting = 24 * time.Hour // after so long without a request
)

// Usage is the recent activity of one device.
type Usage struct {
	Device  string // or "key:" and a program's name
	Allowed int64
	Refused int64
	Last    time.Time
	Blocked bool
}

// devices lists the busiest devices. It is bounded: when many devices come once,
// the busy ones stay.
type devices struct {
	mu    sync.Mutex
	usage map[string]*Usage
	now   func() time.Time
}

func newDevices(now func() time.Time) *devices {
	return &devices{usage: map[string]*Usage{}, now: now}
}

func (d *devices) note(key Key, allowed bool, cost int) {
	id := key.Device
	if key.Program != "" {
		id = "key:" + key.Program
	}
	if id == "" {
		return
	}
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	u, known := d.usage[id]
	if !known {
		d.makeRoom(now)
		u = &Usage{Device: id}
		d.usage[id] = u
	}
	u.Last = now
	if allowed {
		u.Allowed += int64(cost)
	} else {
		u.Refused += int64(cost)
	}
}

func (d *devices) makeRoom(now time.Time) {
	if len(d.usage) < maxDevices {
		return
	}
	var victim *Usage
	seen := 0
	for _, u := range d.usage {
		if now.Sub(u.Last) > forgetting {
			victim = u
			break
		}
		if victim == nil || u.Allowed+u.Refused < victim.Allowed+victim.Refused {
			victim = u
		}
		if seen++; seen == 16 {
			break
		}
	}
	delete(d.usage, victim.Device)
}

// Busiest lists the devices that sent the most, the busiest first.
func (l *Limiter) Busiest(n int) []Usage {
	d, b := l.devices, l.blocks
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prune()
	var all []Usage
	for id, u := range d.usage {
		if now.Sub(u.Last) > forgetting {
			delete(d.usage, id)
			continue
		}
		all = append(all, *u)
		_, all[len(all)-1].Blocked = b.at(id)
	}
	for id := range b.own {
		if _, listed := d.usage[id]; !listed {
			all = append(all, Usage{Device: id, Blocked: true})
		}
	}
	slices.SortFunc(all, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(b.Allowed+b.Refused, a.Allowed+a.Refused), cmp.Compare(a.Device, b.Device))
	})
	return all[:min(n, len(all))]
}

// Block refuses a device for as long as its id can exist: on this replica at
// once, and within seconds on those that share its Redis, if their device ids are
// the same. It reports whether there was room.
func (l *Limiter) Block(device string) bool {
	if !l.blocks.add(device) {
		return false
	}
	if l.shared != nil {
		l.shared.exchange()
	}
	return true
}

// Unblock ends a device's block, on the same replicas.
func (l *Limiter) Unblock(device string) {
	l.blocks.remove(device)
	if l.shared != nil {
		l.shared.exchange()
	}
}

// Forget deletes what is listed of a device, at the visitor's request. Its
// counters stay until their window ends, otherwise forgetting would be a way to
// send more; they are kept under a hash that cannot be traced back to anyone.
func (l *Limiter) Forget(device string) {
	l.devices.mu.Lock()
	defer l.devices.mu.Unlock()
	delete(l.devices.usage, device)
}

// Clear resets a device's quota, at the operator's request. Its network's quota is
// unchanged.
func (l *Limiter) Clear(ctx context.Context, device string) {
	l.Forget(device)
	rules := l.rules.Load()
	keys := []Key{{Device: device}}
	for _, r := range rules.Routes {
		keys = append(keys, Key{Device: device, Route: r.Route})
	}
	for _, key := range keys {
		l.reset(ctx, rules.buckets(key))
		// An override of the visitor's address may have set another period.
		for _, o := range rules.Overrides {
			if o.Device == "" {
				l.reset(ctx, rules.buckets(Key{Device: device, Route: key.Route, Addr: o.Prefix.Addr()}))
			}
		}
	}
}

func (l *Limiter) reset(ctx context.Context, buckets []bucket) {
	for _, b := range buckets {
		if b.kind != "device" {
			continue
		}
		_, _ = l.memory.Reset(ctx, b.key, b.rate) // memory does not fail
		if l.shared != nil {
			l.shared.reset(ctx, b)
		}
	}
}

// Keys counts the counters in memory.
func (l *Limiter) Keys() int { return l.memory.Len() }
