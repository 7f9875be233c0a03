package crafted

// box is one box of a HEIF file.
func box(kind string, parts ...[]byte) []byte {
	body := cat(parts...)
	return cat(be32(len(body)+8), []byte(kind), body)
}

func full(kind string, version byte, parts ...[]byte) []byte {
	return box(kind, append([][]byte{{version, 0, 0, 0}}, parts...)...)
}

// picture is what a HEIF file needs before its pixels: one item of a size, with
// more boxes in its meta box, more properties and links.
type picture struct {
	brand, kind            string
	width, height          int
	meta, properties, ipma []byte
	data                   []byte
}

func (p picture) file() []byte {
	properties := cat(full("ispe", 0, be32(p.width), be32(p.height)), p.properties)
	links := p.ipma
	if links == nil {
		links = full("ipma", 0, be32(1), be16(1), []byte{1, 0x81})
	}
	head := func(offset int) []byte {
		meta := full("meta", 0, full("hdlr", 0, be32(0), []byte("pict"), make([]byte, 13)), full("pitm", 0, be16(1)),
			full("iinf", 0, be16(1), full("infe", 2, be16(1), be16(0), []byte(p.kind+"\x00"))),
			full("iloc", 0, []byte{0x44, 0}, be16(1), be16(1), be16(0), be16(1), be32(offset), be32(len(p.data))),
			box("iprp", box("ipco", properties), links), p.meta)
		return cat(box("ftyp", []byte(p.brand), be32(0), []byte("mif1"+p.brand)), meta)
	}
	return cat(head(len(head(0))+8), box("mdat", p.data))
}

func heifs() []File {
	var files []File
	for _, format := range []struct{ name, brand, kind string }{{"heic", "heic", "hvc1"}, {"avif", "avif", "av01"}} {
		of := func(p picture) []byte {
			p.brand, p.kind = format.brand, format.kind
			if p.width == 0 {
				p.width, p.height = 64, 64
			}
			if p.data == nil {
				p.data = make([]byte, 64)
			}
			return p.file()
		}
		add := func(name string, make func(Scale) []byte) {
			files = append(files, File{format.name + " " + name, make})
		}
		add("wide", still(of(picture{width: 1 << 24, height: 2})))
		add("of the largest sides", still(of(picture{width: 1<<32 - 1, height: 1<<32 - 1})))
		add("of an item much larger", still(of(picture{properties: full("ispe", 0, be32(1<<15), be32(1<<15))})))
		add("of links", func(s Scale) []byte {
			n := s.Bytes / 259
			piece := cat(be16(1), []byte{255}, fill([]byte{0x81}, 255))
			return of(picture{ipma: full("ipma", 0, be32(n), fill(piece, 258*n))})
		})
		add("of small links", func(s Scale) []byte {
			n := s.Bytes / 3
			return of(picture{ipma: full("ipma", 0, be32(n), fill(cat(be16(1), []byte{0}), 3*n))})
		})
		add("of properties", func(s Scale) []byte { return of(picture{properties: fill(box("free"), s.Bytes)}) })
		add("of items", func(s Scale) []byte {
			one := full("infe", 2, be16(2), be16(0), []byte(format.kind+"\x00"))
			n := min(65535, s.Bytes/len(one))
			return of(picture{meta: full("iinf", 0, be16(n), fill(one, n*len(one)))})
		})
		add("of extents", func(s Scale) []byte {
			n := min(65535, s.Bytes/8)
			return of(picture{meta: full("iloc", 0, []byte{0x44, 0}, be16(1), be16(1), be16(0), be16(n), fill(cat(be32(8), be32(1<<20)), 8*n))})
		})
		add("of references", func(s Scale) []byte {
			one := box("dimg", be16(1), be16(1), be16(1))
			return of(picture{meta: full("iref", 0, fill(one, min(s.Bytes, 3<<20)))})
		})
		add("of free boxes", func(s Scale) []byte {
			file := of(picture{})
			return cat(file, fill(box("free"), s.Bytes))
		})
		add("of boxes in boxes", func(s Scale) []byte {
			nested := box("free")
			for len(nested) < min(s.Bytes, 64<<10) {
				nested = box("meta", make([]byte, 4), nested)
			}
			return of(picture{meta: nested})
		})
		add("of a profile", func(s Scale) []byte {
			return of(picture{properties: box("colr", []byte("prof"), curves(min(3<<20, s.Bytes))), ipma: full("ipma", 0, be32(1), be16(1), []byte{2, 0x81, 2})})
		})
		add("without pixels", func(s Scale) []byte { return of(picture{width: s.side(), height: s.side()}) })
		add("cut off", still(of(picture{})[:120]))
	}
	return files
}
