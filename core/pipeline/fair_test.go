package pipeline

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

// enter has an owner's job wait for its turn; its name is sent when it has it,
// and it runs until it is released.
func enter(t *testing.T, q *Queue, owner, name string, turns chan<- string) (leave chan struct{}) {
	leave = make(chan struct{})
	go func() {
		over, err := q.Enter(t.Context(), owner, nowhere)
		if err != nil {
			turns <- name + " is sent away"
			return
		}
		turns <- name
		<-leave
		over()
	}()
	synctest.Wait()
	return leave
}

// One visitor has sent 36 photos when two others come with one each: they have
// the next turns, whatever waits.
func TestOwnersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(1, 144)
		turns := make(chan string, 100)
		var leaves []chan struct{}
		for i := range 36 {
			leaves = append(leaves, enter(t, q, "many", fmt.Sprint("many ", i), turns))
		}
		leaves = append(leaves[:1:1], append([]chan struct{}{
			enter(t, q, "one", "one", turns), enter(t, q, "two", "two", turns),
		}, leaves[1:]...)...)
		var order []string
		for _, leave := range leaves {
			synctest.Wait()
			order = append(order, <-turns)
			close(leave)
		}
		if want := []string{"many 0", "one", "two", "many 1", "many 2"}; !slices.Equal(order[:5], want) {
			t.Errorf("turns: %v", order[:5])
		}
		synctest.Wait()
		if working, waiting := q.Load(); working+waiting+len(q.owners) > 0 {
			t.Errorf("left: %d in progress, %d waiting, %d owners", working, waiting, len(q.owners))
		}
	})
}

// However much one owner sends, a worker, a place to wait and room for a result
// remain for others.
func TestOwnersHaveShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(4, 8)
		turns := make(chan string, 100)
		var leaves []chan struct{}
		for i := range 6 {
			leaves = append(leaves, enter(t, q, "many", fmt.Sprint(i), turns))
		}
		// Two of four workers, two of eight places; the rest is sent away.
		got := []string{<-turns, <-turns, <-turns, <-turns}
		if !slices.Equal(got, []string{"0", "1", "4 is sent away", "5 is sent away"}) || len(turns) > 0 {
			t.Fatalf("turns: %v", got)
		}
		leaves = append(leaves, enter(t, q, "other", "other", turns))
		if got := <-turns; got != "other" {
			t.Fatal(got)
		}
		// A result that is not read counts as the job did.
		sent := []func(){q.Unsent("many"), q.Unsent("many")}
		close(leaves[0])
		close(leaves[1])
		synctest.Wait()
		if len(turns) > 0 {
			t.Fatalf("%s began with two results unsent", <-turns)
		}
		sent[0]()
		sent[0]()
		synctest.Wait()
		if got := <-turns; got != "2" || len(turns) > 0 {
			t.Fatalf("after one result was sent: %s and %d more", got, len(turns))
		}
		sent[1]()
		synctest.Wait()
		for _, leave := range leaves[2:] {
			close(leave)
		}
		synctest.Wait()
		if len(q.owners) > 0 {
			t.Errorf("left: %v", q.owners)
		}
	})
}

// Whatever is sent: no owner exceeds its share, no admissible job waits while a
// worker is free, and no owner waits while another has more than two turns.
func TestTurnsAreFair(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		workers, capacity := rapid.IntRange(1, 6).Draw(rt, "workers"), rapid.IntRange(1, 20).Draw(rt, "capacity")
		steps := rapid.SliceOfN(rapid.IntRange(-2, 3), 1, 60).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			q := NewQueue(workers, capacity)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			type admitted struct {
				owner string
				leave func()
			}
			entered := make(chan admitted, len(steps))
			var working []admitted
			passed := map[string]map[string]int{} // by who waits: turns of others since
			for _, step := range steps {
				if step >= 0 {
					owner := fmt.Sprint(step)
					go func() {
						leave, err := q.Enter(ctx, owner, nowhere)
						if err == nil {
							entered <- admitted{owner, leave}
						} else if code := cutout.CodeOf(err); code != cutout.Busy && code != cutout.Canceled {
							t.Error(err)
						}
					}()
				} else if len(working) > 0 {
					working[0].leave()
					working = working[1:]
				}
				synctest.Wait()
				for len(entered) > 0 {
					a := <-entered
					working = append(working, a)
					delete(passed, a.owner)
					for _, seen := range passed {
						seen[a.owner]++
					}
				}
				for name, o := range q.owners {
					if o.working > max(1, workers-1) || o.working > mostAtOnce || o.waiting > max(1, capacity/4) {
						rt.Fatalf("%s has %d in progress and %d waiting, of %d and %d", name, o.working, o.waiting, workers, capacity)
					}
					eligible := o.waiting > 0 && o.working < max(1, workers-1) && o.working < mostAtOnce
					if eligible && q.working < workers {
						rt.Fatalf("%s waits beside a free worker", name)
					}
					if !eligible {
						delete(passed, name)
					} else if passed[name] == nil {
						passed[name] = map[string]int{}
					}
					for other, n := range passed[name] {
						if n > 2 {
							rt.Fatalf("%s had %d turns while %s waited", other, n, name)
						}
					}
				}
			}
			cancel()
			for _, a := range working {
				a.leave()
			}
		})
	})
}
