package decode

import "bgremover.pro/core/decode/internal/colour"

type coding = colour.Coding

// colours returns the conversion of the decoded samples to sRGB; nil for none. A
// profile has priority over code points, as in HEIF and in practice everywhere.
func (h header) colours() *colour.Transform {
	switch {
	case h.profile != nil:
		return colour.FromProfile(h.profile)
	case h.coding != nil:
		return colour.FromCoding(*h.coding)
	}
	return nil
}
