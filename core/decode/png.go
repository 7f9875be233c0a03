package decode

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"image/png"
	"io"
)

// maxChunks is how many chunks a file may have: encoders write some thousand of
// 8 KB, and the library takes a microsecond for each.
const maxChunks = 1 << 16

func probePNG(data []byte) (header, error) {
	if len(data) < 33 || string(data[12:16]) != "IHDR" || binary.BigEndian.Uint32(data[8:]) != 13 {
		return header{}, errors.New("no IHDR chunk")
	}
	ihdr := data[16:]
	h := header{orientation: 1}
	width, height := binary.BigEndian.Uint32(ihdr), binary.BigEndian.Uint32(ihdr[4:])
	if width > 1<<31-1 || height > 1<<31-1 {
		return header{}, errors.New("impossible size")
	}
	h.Width, h.Height = int(width), int(height)
	h.Depth = max(8, int(ihdr[8]))
	kind, interlaced := ihdr[9], ihdr[12] != 0

	transparent, coloured := false, false
	chunks := 0
	for at := 8; at+12 <= len(data); {
		if chunks++; chunks > maxChunks {
			return h, errors.New("too many chunks")
		}
		length := int64(binary.BigEndian.Uint32(data[at:]))
		if int64(at)+12+length > int64(len(data)) {
			break
		}
		name, body := string(data[at+4:at+8]), data[at+8:at+8+int(length)]
		switch name {
		case "iCCP": // a file has one: inflating each of thousands costs seconds
			if !coloured {
				h.profile = inflateProfile(body)
			}
			coloured = true
		case "eXIf":
			h.orientation = exifOrientation(body)
		case "tRNS":
			transparent = true
		}
		at += 12 + int(length)
	}
	h.Memory = pngMemory(h.Header, kind, interlaced, transparent, h.orientation != 1)
	return h, nil
}

// pngMemory follows what image/png allocates for each kind of pixel.
func pngMemory(h Header, kind byte, interlaced, transparent, turned bool) int64 {
	bytesPerPixel := int64(4)
	if (kind == 0 && !transparent) || kind == 3 {
		bytesPerPixel = 1
	}
	if h.Depth == 16 {
		bytesPerPixel = max(2, 2*bytesPerPixel)
	}
	passes := int64(1)
	if interlaced {
		passes = 2
	}
	own := int64(4)
	if h.Depth == 8 && bytesPerPixel == 4 && !turned {
		own = 0 // the decoder's pixels become the photo's
	}
	return area(h.Width, h.Height) * (bytesPerPixel*passes + own)
}

// maxInflated bounds what a compressed colour profile may inflate to: matrix
// profiles, the only ones of use here, have some KB.
const maxInflated = 1 << 20

// inflateProfile reads an iCCP chunk: a name, a method, a zlib stream. A damaged or
// oversized one is ignored.
func inflateProfile(body []byte) []byte {
	name := bytes.IndexByte(body, 0)
	if name < 0 || name+2 > len(body) {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(body[name+2:]))
	if err != nil {
		return nil
	}
	defer z.Close()
	profile, err := io.ReadAll(io.LimitReader(z, maxInflated+1))
	if err != nil || len(profile) > maxInflated {
		return nil
	}
	return profile
}

func decodePNG(ctx context.Context, data []byte, _ header) (raster, error) {
	img, err := png.Decode(newReader(ctx, data).plain())
	if err != nil {
		return raster{}, err
	}
	return newRaster(img)
}
