package cutout

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Code classifies an error for the code that handles it.
type Code string

// The codes; the web layer maps each to a status and a sentence.
const (
	Invalid            Code = "invalid"
	TooLarge           Code = "too_large"
	TooManyPixels      Code = "too_many_pixels"
	UnsupportedFormat  Code = "unsupported_format"
	RateLimited        Code = "rate_limited"
	Busy               Code = "busy"
	BackendUnavailable Code = "backend_unavailable"
	Timeout            Code = "timeout"
	Canceled           Code = "canceled"
	Internal           Code = "internal"
)

// Error carries a code and a message that a person can act on. The message never
// contains pixels, file names, keys or addresses.
type Error struct {
	Code    Code
	Message string
	// RetryAfter is when to try again, if that is known.
	RetryAfter time.Duration
	// Err is the cause, for the log.
	Err error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error with a code and a message. A %w in the format sets the
// cause but also puts its text into the message: use Wrap for a cause that visitors
// must not see.
func Errorf(code Code, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Wrap gives a cause a code and a message. It returns nil for a nil cause.
func Wrap(code Code, err error, message string) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Message: message, Err: err}
}

// CodeOf returns the code of an error: that of the outermost Error in its
// chain, else Timeout or Canceled for a context's end, else Internal. It
// returns "" for nil.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Canceled
	}
	return Internal
}

// MessageOf returns the message for a person; for errors without one it is vague on
// purpose.
func MessageOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	switch CodeOf(err) {
	case Timeout:
		return "This took too long and was stopped."
	case Canceled:
		return "The request was cancelled."
	default:
		return "Something went wrong on our side."
	}
}
