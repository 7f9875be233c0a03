package ort

import (
	"context"
	"sync"
	"time"
)

// call is a picture on its way through a network.
type call struct {
	ctx     context.Context //nolint:containedctx // that of the one caller who waits for it
	session *session
	buffers // the picture's input; after the run, its output
	begun   time.Time
	done    chan struct{} // closed when the buffers are the caller's again, and err is set
	err     error
}

func (c *call) end(err error) {
	c.err = err
	close(c.done)
}

// queue gives calls to a few workers, in the order in which they came. A worker takes what
// waits for the same session together, as many as that can run at once; it never waits for
// more. Workers end when nothing is left to do.
type queue struct {
	workers int           // at most
	work    func([]*call) // ends them all

	mu      sync.Mutex
	busy    int // workers
	waiting []*call
}

func (q *queue) add(c *call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, c)
	if q.busy < q.workers {
		q.busy++
		go func() {
			for calls := q.next(); len(calls) > 0; calls = q.next() {
				q.work(calls)
			}
		}()
	}
}

// next takes the calls for one run; none means that the worker ends. Those whose caller
// has left are dropped.
func (q *queue) next() (calls []*call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var left []*call
	for _, c := range q.waiting {
		switch {
		case c.ctx.Err() != nil:
			c.end(c.ctx.Err())
		case len(calls) == 0 || c.session == calls[0].session && len(calls) < int(c.session.most.Load()):
			c.begun = time.Now()
			calls = append(calls, c)
		default:
			left = append(left, c)
		}
	}
	if q.waiting = left; len(calls) == 0 {
		q.busy--
	}
	return calls
}

// whileWanted returns a context that ends when the callers of all calls have left.
func whileWanted(calls []*call) (context.Context, context.CancelFunc) {
	if len(calls) == 1 {
		return calls[0].ctx, func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex
	wanted := len(calls)
	var stops []func() bool
	for _, c := range calls {
		stops = append(stops, context.AfterFunc(c.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if wanted--; wanted == 0 {
				cancel()
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
