package removebg

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/url"
	"slices"
	"strings"
)

// photoField is the parameter that holds a photo as text.
const photoField = "image_file_b64"

// longestValue is the most bytes of another parameter.
const longestValue = 8 << 10

var (
	errBody   = &Error{Code: "invalid_request", Title: "The body is not valid JSON or form data"}
	errBase64 = &Error{Code: "failed_to_read_image", Title: "image_file_b64 is not valid base64"}
)

// Body is a body that is not multipart/form-data.
type Body struct {
	Fields map[string]string
	// Image is the photo of image_file_b64, decoded; part of what was read.
	Image []byte
}

// ReadBody reads a body of application/json or application/x-www-form-urlencoded. Some
// clients send JSON under another type, so an object is always one. The photo is decoded in
// place, so that it takes no memory besides the body's own, whose content is lost. Its
// errors are of type *Error.
func ReadBody(contentType string, body []byte) (Body, error) {
	kind, _, _ := mime.ParseMediaType(contentType)
	b := Body{Fields: map[string]string{}}
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(trimmed) == 0:
		return b, nil
	case trimmed[0] == '{':
		return b, b.object(trimmed)
	case kind == "application/json":
		return b, errBody
	}
	return b, b.form(trimmed)
}

// object reads a JSON object. It is checked first, so that walking it is simple.
func (b *Body) object(text []byte) error {
	if !json.Valid(text) {
		return errBody
	}
	for rest := text[1:]; ; {
		var key, value []byte
		if key, rest = element(rest); key == nil {
			return nil
		}
		value, rest = element(rest)
		var name string
		if len(key) > longestValue || json.Unmarshal(key, &name) != nil {
			return errBody
		}
		if name == photoField && value[0] == '"' {
			if err := b.photo(unescape(value[1 : len(value)-1])); err != nil {
				return err
			}
			continue
		}
		if slices.Contains(Parameters, name) { // others would only take memory
			if err := b.value(name, value); err != nil {
				return err
			}
		}
	}
}

// value reads a plain JSON value as text; null is the same as absent.
func (b *Body) value(name string, value []byte) error {
	if len(value) > longestValue {
		return errBody
	}
	switch value[0] {
	case '"':
		var s string
		if json.Unmarshal(value, &s) != nil {
			return errBody
		}
		b.Fields[name] = s
	case '{', '[':
		return &Error{Code: "invalid_request", Title: "Parameters are texts, numbers or true or false"}
	case 'n':
	default:
		b.Fields[name] = string(value)
	}
	return nil
}

// element returns the next key or value of valid JSON, and what follows; nil at the
// object's end.
func element(text []byte) (found, rest []byte) {
	text = bytes.TrimLeft(text, " \t\r\n,:")
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return text[:i+1], text[i+1:]
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				if i == 0 {
					return nil, text
				}
				return text[:i], text[i:]
			}
			if depth--; depth == 0 {
				return text[:i+1], text[i+1:]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return text[:i], text[i:]
			}
		}
	}
	return nil, nil
}

// unescape undoes, in place, those escapes of JSON that base64 text may have.
func unescape(text []byte) []byte {
	at := bytes.IndexByte(text, '\\')
	if at < 0 {
		return text
	}
	out := text[:at]
	for rest := text[at:]; len(rest) > 0; {
		n, c := 1, rest[0]
		if c == '\\' && len(rest) > 1 {
			n, c = 2, rest[1]
			switch {
			case c == 'u' && len(rest) >= 6:
				var s string
				if json.Unmarshal([]byte(`"`+string(rest[:6])+`"`), &s) == nil && len(s) == 1 {
					n, c = 6, s[0]
				}
			case strings.IndexByte("nrt", c) >= 0:
				c = '\n'
			}
		}
		out, rest = append(out, c), rest[n:]
	}
	return out
}

// form reads urlencoded pairs.
func (b *Body) form(text []byte) error {
	for len(text) > 0 {
		var pair []byte
		pair, text, _ = bytes.Cut(text, []byte("&"))
		key, value, _ := bytes.Cut(pair, []byte("="))
		if len(key) > longestValue {
			return errBody
		}
		name, err := url.QueryUnescape(string(key))
		if err != nil {
			return errBody
		}
		if name == photoField {
			if err := b.photo(unquote(value)); err != nil {
				return err
			}
			continue
		}
		if !slices.Contains(Parameters, name) {
			continue
		}
		if len(value) > longestValue {
			return errBody
		}
		s, err := url.QueryUnescape(string(value))
		if err != nil {
			return errBody
		}
		b.Fields[name] = s
	}
	return nil
}

// unquote undoes %xx in place. A plus stays: it is a digit of base64, and clients
// that forget to quote it are common.
func unquote(text []byte) []byte {
	out := text[:0]
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) {
			if high, low := digit16(text[i+1]), digit16(text[i+2]); high >= 0 && low >= 0 {
				c, i = byte(high<<4|low), i+2
			}
		}
		out = append(out, c)
	}
	return out
}

func digit16(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }

func (b *Body) photo(text []byte) (err error) {
	if b.Image, err = DecodeBase64(text); err == nil && len(b.Image) > 0 {
		b.Fields[photoField] = "given"
	}
	return err
}

// DecodeBase64 decodes in place, in the usual or the URL alphabet, with or without
// padding, line breaks and the beginning of a data URL.
func DecodeBase64(text []byte) ([]byte, error) {
	if bytes.HasPrefix(text, []byte("data:")) {
		_, after, found := bytes.Cut(text[:min(len(text), longestValue)], []byte(";base64,"))
		if !found {
			return nil, errBase64
		}
		text = text[min(len(text), longestValue)-len(after):]
	}
	text = bytes.TrimRight(text, "= \r\n\t")
	out, bits, n := text[:0], uint32(0), 0
	for _, c := range text {
		v := digits64[c]
		if c == '\r' || c == '\n' || c == ' ' || c == '\t' {
			continue
		}
		if v > 63 {
			return nil, errBase64
		}
		bits, n = bits<<6|uint32(v), n+1
		if n%4 == 0 {
			out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
		}
	}
	switch n % 4 {
	case 1:
		return nil, errBase64
	case 2:
		out = append(out, byte(bits>>4))
	case 3:
		out = append(out, byte(bits>>10), byte(bits>>2))
	}
	return out, nil
}

// digits64 are the values of base64's digits in both alphabets; others are above 63.
var digits64 = func() (all [256]uint8) {
	for i := range all {
		all[i] = 255
	}
	const usual, forURLs = "+/", "-_"
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + usual) {
		all[c] = uint8(i)
	}
	all[forURLs[0]], all[forURLs[1]] = all[usual[0]], all[usual[1]]
	return all
}()
