package accesslog

import "time"

// pause is the least time between two writes where lines come slower than they
// are written: a flood of refusals must not wake the disk for each. So many
// lines as are buffered do not come meanwhile.
const pause = 20 * time.Millisecond

// write is the one goroutine that writes lines.
func (l *Logger) write() {
	if l.out == nil {
		return
	}
	defer l.out.Close()
	var buffer []byte
	for {
		select {
		case line := <-l.lines:
			buffer = l.gather(append(buffer[:0], line...))
			l.flush(buffer)
			if len(buffer) < batch {
				l.rest()
			}
		case <-l.stop:
			for len(l.lines) > 0 {
				buffer = l.gather(buffer[:0])
				l.flush(buffer)
			}
			return
		}
	}
}

// rest waits a while, but not for longer than the logger lives.
func (l *Logger) rest() {
	select {
	case <-time.After(pause):
	case <-l.stop:
	}
}

// gather adds the lines that wait already: one write for many under load, one
// for each, at once, without.
func (l *Logger) gather(buffer []byte) []byte {
	for len(buffer) < batch {
		select {
		case line := <-l.lines:
			buffer = append(buffer, line...)
		default:
			return buffer
		}
	}
	return buffer
}

func (l *Logger) flush(buffer []byte) {
	n, err := l.out.Write(buffer)
	whole := countLines(buffer[:n])
	l.written.Add(whole)
	l.dropped.Add(countLines(buffer) - whole)
	if failing := err != nil; failing != l.failing {
		l.failing = failing
		if failing {
			l.log.Warn("access log lines are lost", "error", err)
		} else {
			l.log.Info("access log lines are written again")
		}
	}
}
