package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// A job of an owner with many jobs gives way, before its next run, to one of an owner
// with few, until that has ended all its runs; a job that comes later does not keep
// it waiting.
func TestJobsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(4, 8)
		q.of("many").working = 3
		q.of("one").working = 1
		q.of("two").working = 1
		run := func(r *member) {
			if err := r.next(t.Context()); err != nil {
				t.Error(err)
			}
		}
		many, one, two := q.runs.enter("many"), q.runs.enter("one"), q.runs.enter("two")
		run(many)
		run(one)
		went := make(chan struct{})
		go func() {
			run(many)
			close(went)
		}()
		synctest.Wait()
		run(one) // another run of the same job
		run(two)
		select {
		case <-went:
			t.Fatal("the job does not give way")
		default:
		}
		one.leave()
		<-went
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := many.next(ctx); err == nil { // two still runs
			t.Error("an ended context is not noticed")
		}
		two.leave()
		many.leave()
		if len(q.runs.members) > 0 {
			t.Errorf("%d jobs are left", len(q.runs.members))
		}
	})
}

// However many jobs each owner has, all of them end: synctest reports a deadlock.
func TestJobsEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		owners := rapid.IntRange(2, 5).Draw(rt, "owners")
		synctest.Test(t, func(t *testing.T) {
			q := NewQueue(100, 100)
			random := rand.New(rand.NewPCG(seed, 1))
			var jobs sync.WaitGroup
			for i := range 12 {
				from := fmt.Sprint(random.IntN(owners))
				count := 1 + random.IntN(4)
				q.mu.Lock()
				q.of(from).working++
				q.mu.Unlock()
				jobs.Go(func() {
					r := q.runs.enter(from)
					for range count {
						if err := r.next(t.Context()); err != nil {
							t.Error(err)
						}
					}
					r.leave()
					if i%2 == 0 { // how many jobs an owner has changes meanwhile
						q.mu.Lock()
						q.of(from).working--
						q.mu.Unlock()
					}
				})
			}
			jobs.Wait()
			if len(q.runs.members) > 0 {
				t.Errorf("%d jobs are left", len(q.runs.members))
			}
		})
	})
}

// Where a worker is free, there are processors for both: nobody gives way.
func TestJobsGiveWayWhereAllWorkersAreBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(3, 8)
		turns := make(chan string, 9)
		leaves := []chan struct{}{enter(t, q, "many", "a", turns), enter(t, q, "one", "c", turns)}
		q.of("many").waiting = 5
		many, one := q.stages.enter("many"), q.stages.enter("one")
		next := func(m *member) (went chan struct{}) {
			went = make(chan struct{})
			go func() {
				if err := m.next(t.Context()); err != nil {
					t.Error(err)
				}
				close(went)
			}()
			synctest.Wait()
			return went
		}
		<-next(one)
		<-next(many)
		leaves = append(leaves, enter(t, q, "two", "d", turns))
		went := next(many)
		select {
		case <-went:
			t.Error("the job does not give way")
		default:
		}
		one.leave()
		<-went
		many.leave()
		q.of("many").waiting = 0
		for _, leave := range leaves {
			close(leave)
		}
	})
}
