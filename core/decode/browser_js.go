package decode

import (
	"context"
	"fmt"
	"syscall/js"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/promise"
)

// In a browser, AVIF and lossy WebP are decoded by the browser itself, by the global
// function decodePicture(bytes, type), a promise of { width, height, pixels }. It turns
// the picture upright and converts it to sRGB.

// browserMemory is what a browser may take for a pixel: the picture, a canvas, and
// the pixels read from it.
const browserMemory = 12

func probeAVIF(data []byte) (header, error) {
	h, err := probeHEIF(data, browserMemory)
	if h.orientation >= 5 {
		h.Width, h.Height = h.Height, h.Width
	}
	h.orientation, h.profile, h.coding, h.Depth = 1, nil, nil, 8
	return h, err
}

func decodeAVIF(_ context.Context, data []byte, h header) (raster, error) {
	return decodeByBrowser(data, "an AVIF", "image/avif", h.Width, h.Height)
}

func decodeLossy(_ context.Context, info *webpInfo, _ header) (raster, error) {
	return decodeByBrowser(info.still(), "a WebP", "image/webp", info.frame.Dx(), info.frame.Dy())
}

func decodeByBrowser(data []byte, format, mediaType string, width, height int) (raster, error) {
	file := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(file, data)
	picture, err := promise.Await(js.Global().Call("decodePicture", file, mediaType))
	if err != nil {
		return raster{}, cutout.Wrap(cutout.UnsupportedFormat, err,
			"This browser cannot open "+format+" by itself, or the file is damaged. Choose “On our server” for this photo, or save it as a JPEG or PNG.")
	}
	if w, h := picture.Get("width").Int(), picture.Get("height").Int(); w != width || h != height {
		return raster{}, fmt.Errorf("size %dx%d is not the header's", w, h)
	}
	pix := make([]uint8, 4*width*height)
	if n := js.CopyBytesToGo(pix, picture.Get("pixels")); n != len(pix) {
		return raster{}, fmt.Errorf("%d bytes of pixels", n)
	}
	r := raster{width: width, height: height, opaque: true}
	for i := 3; i < len(pix) && r.opaque; i += 4 {
		r.opaque = pix[i] == 255
	}
	r.packed(pix, 4*width)
	return r, nil
}
