package decode

import (
	"errors"
	"slices"

	"bgremover.pro/core/decode/internal/heif"
)

func isHEIC(data []byte) bool {
	return hasBrand(data, "heic", "heix", "heim", "heis", "hevc", "hevx") || hasBrand(data, "mif1", "msf1") && !isAVIF(data)
}

func isAVIF(data []byte) bool { return hasBrand(data, "avif", "avis") }

func hasBrand(data []byte, brands ...string) bool {
	return slices.ContainsFunc(heif.Brands(data), func(b string) bool { return slices.Contains(brands, b) })
}

// probeHEIF reads what both formats share. The codec gets so many bytes of memory for a
// pixel, and some more for small pictures.
func probeHEIF(data []byte, perPixel int64) (header, error) {
	p, err := heif.Read(data)
	if err != nil {
		return header{}, err
	}
	h := header{orientation: p.Orientation(), profile: p.Profile, coding: p.Coding}
	h.Width, h.Height, h.Depth = p.Width, p.Height, max(8, p.Depth)
	// Tiles may reach over the edge, but no item needs to be twice the size.
	pixels := area(p.Width, p.Height)
	if p.Largest > 2*pixels+1<<22 {
		return header{}, errors.New("an item much larger than the picture")
	}
	h.sandbox = perPixel*pixels + 2*int64(len(data)) + 32<<20
	h.Memory = 4*pixels + h.sandbox + int64(len(data)) // a copy is given to it
	return h, nil
}
