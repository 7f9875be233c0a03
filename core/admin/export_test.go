package admin

import (
	"math"
	"time"
)

// FillHistory makes the last hour, day and week busy ones, with a gap.
func (s *Server) FillHistory() {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	for i := range s.history.series {
		s.history.series[i].points = busy(spans[i])
	}
}

func busy(shown span) (all []point) {
	now := time.Now()
	for i := range points {
		x := float64(i) / 20
		p := point{at: now.Add(time.Duration(i-points+1) * shown.step), requests: 4 + 3*math.Sin(x), errors: max(0, math.Sin(3*x)-.9), denied: 1 + math.Cos(x),
			latency: [3]float64{.4 + .1*math.Sin(x), 1.2 + .8*math.Cos(x/2), 2.5}, inference: [3]float64{.2, .35 + .1*math.Sin(x), .5},
			working: 2, waiting: math.Round(5 + 5*math.Sin(x/2)), memory: 220e6 + 2e5*float64(i), backendMemory: 900e6}
		if i > 150 && i < 190 {
			p.latency, p.inference = [3]float64{math.NaN(), math.NaN(), math.NaN()}, [3]float64{math.NaN(), math.NaN(), math.NaN()}
		}
		all = append(all, p)
	}
	return all
}

// TakePoint has the history read the metrics now.
func (s *Server) TakePoint() { s.history.take(time.Now()) }
