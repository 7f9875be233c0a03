package templates

// Tips is the fragment of GET /help/tips: what makes a photo come out well.
type Tips struct{ Limits Limits }

// Modes is the fragment of GET /help/modes: what the modes do, at length.
type Modes struct{}

func (Tips) name() string  { return "fragment/tips.html" }
func (Modes) name() string { return "fragment/modes.html" }
