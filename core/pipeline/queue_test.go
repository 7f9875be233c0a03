package pipeline

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

func nowhere(int) {}

func TestQueueSendsAwayWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(1, 1)
		leave, err := q.Enter(t.Context(), "", nowhere)
		if err != nil {
			t.Fatal(err)
		}
		admitted := make(chan func())
		go func() {
			leave, err := q.Enter(t.Context(), "", nowhere)
			if err != nil {
				t.Error(err)
			}
			admitted <- leave
		}()
		synctest.Wait()
		if !q.Full() {
			t.Error("one in progress and one waiting should fill the queue")
		}
		_, err = q.Enter(t.Context(), "", nowhere)
		if cutout.CodeOf(err) != cutout.Busy {
			t.Fatalf("got %v, want busy", err)
		}
		if after := err.(*cutout.Error).RetryAfter; after < time.Second { //nolint:errorlint // returned bare
			t.Errorf("retry after %v, want at least a second", after)
		}
		leave()
		leave() // leaving twice frees one place only
		(<-admitted)()
		if working, waiting := q.Load(); working != 0 || waiting != 0 {
			t.Errorf("%d in progress and %d waiting after all have left", working, waiting)
		}
	})
}

func TestQueueTellsPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(1, 5)
		first, _ := q.Enter(t.Context(), "", nowhere)
		var places []int
		done := make(chan struct{})
		second, cancelSecond := context.WithCancel(t.Context())
		go func() {
			if _, err := q.Enter(second, "", nowhere); cutout.CodeOf(err) != cutout.Canceled {
				t.Errorf("got %v, want canceled", err)
			}
		}()
		synctest.Wait()
		go func() {
			defer close(done)
			leave, err := q.Enter(t.Context(), "", func(ahead int) { places = append(places, ahead) })
			if err != nil {
				t.Error(err)
				return
			}
			leave()
		}()
		synctest.Wait()
		cancelSecond()
		synctest.Wait()
		first()
		<-done
		if want := []int{1, 0}; !slices.Equal(places, want) {
			t.Errorf("told %v, want %v", places, want)
		}
	})
}

func TestQueueNeverExceedsItsWorkers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 4).Draw(rt, "workers")
		capacity := rapid.IntRange(0, 6).Draw(rt, "capacity")
		steps := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 40).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			q := NewQueue(workers, capacity)
			var leaves []func()
			var cancels []context.CancelFunc
			entered := make(chan func(), len(steps))
			for _, step := range steps {
				switch {
				case step == 0 && len(leaves) > 0:
					leaves[0]()
					leaves = leaves[1:]
				case step == 1 && len(cancels) > 0:
					cancels[0]()
					cancels = cancels[1:]
				default:
					ctx, cancel := context.WithCancel(t.Context())
					cancels = append(cancels, cancel)
					go func() {
						if leave, err := q.Enter(ctx, "", nowhere); err == nil {
							entered <- leave
						}
					}()
				}
				synctest.Wait()
				for len(entered) > 0 {
					leaves = append(leaves, <-entered)
				}
				working, waiting := q.Load()
				if working != len(leaves) || working > workers || waiting > capacity {
					rt.Fatalf("%d in progress (%d admitted, %d workers), %d waiting (room for %d)",
						working, len(leaves), workers, waiting, capacity)
				}
				if waiting > 0 && working < workers {
					rt.Fatalf("%d wait although only %d of %d work", waiting, working, workers)
				}
			}
			for _, cancel := range cancels {
				cancel()
			}
		})
	})
}
