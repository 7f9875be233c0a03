package templates

// Tips is the fragment of GET /help/tips: tips for good results.
type Tips struct{ Limits Limits }

// Modes is the fragment of GET /help/modes: what the modes do, in detail.
type Modes struct{}

func (Tips) name() string  { return "fragment/tips.html" }
func (Modes) name() string { return "fragment/modes.html" }
