package cutout

import (
	"encoding/hex"
	"image/color"
	"strconv"
	"strings"
)

// Background is what is laid behind the subject: Picture where there is one,
// else the blurred photo, else a gradient, which is one colour where both ends
// are equal.
type Background struct {
	// Picture is a file of any supported format, scaled to cover the result.
	Picture []byte
	// Blur lays the photo itself, without its subject and blurred by this percentage of the
	// maximum, 10 to 100; 0 means no blur.
	Blur int
	// From and To are the ends of a linear gradient. Their alpha counts only where
	// they are equal: one colour may be translucent.
	From, To color.NRGBA
	// Degrees is the gradient's direction as in CSS: 0 upwards, 90 to the right.
	Degrees float64
}

// Plain returns a background of one colour.
func Plain(c color.NRGBA) *Background { return &Background{From: c, To: c} }

// UsualBlur is the blur that names no amount.
const UsualBlur = 50

// downwards is the direction of a gradient that names none, as in CSS.
const downwards = 180

var errBackground = Errorf(Invalid, "background is a colour such as #ffffff, "+
	"a gradient of two with or without its direction in degrees, such as #ffffff,#88aaff,135, the word blur with or without an amount of 10 to 100, such as blur,80, or a picture")

// ParseBackground reads #rrggbb or #rgb, two of them with a comma between and
// perhaps a third part, the direction, from -360 to 360, or the word blur and perhaps
// its amount; empty means none.
func ParseBackground(s string) (*Background, error) {
	switch s {
	case "":
		return nil, nil
	case "blur":
		return &Background{Blur: UsualBlur}, nil
	}
	if amount, is := strings.CutPrefix(s, "blur,"); is {
		blur, err := strconv.Atoi(amount)
		if err != nil || blur < 10 || blur > 100 {
			return nil, errBackground
		}
		return &Background{Blur: blur}, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) > 3 {
		return nil, errBackground
	}
	from, ok := parseColor(parts[0])
	if !ok {
		return nil, errBackground
	}
	b := Plain(from)
	if len(parts) > 1 {
		if b.To, ok = parseColor(parts[1]); !ok {
			return nil, errBackground
		}
		b.Degrees = downwards
	}
	if len(parts) > 2 {
		degrees, err := strconv.ParseFloat(parts[2], 64)
		if err != nil || !(-360 <= degrees && degrees <= 360) {
			return nil, errBackground
		}
		b.Degrees = degrees
	}
	return b, nil
}

func parseColor(s string) (c color.NRGBA, ok bool) {
	digits := strings.TrimPrefix(s, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	rgb, err := hex.DecodeString(digits)
	if err != nil || len(rgb) != 3 {
		return c, false
	}
	return color.NRGBA{R: rgb[0], G: rgb[1], B: rgb[2], A: 255}, true
}
