package accesslog

import (
	"net/netip"
	"time"
)

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
			buffer = l.gather(l.add(buffer[:0], line))
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
			buffer = l.add(buffer, line)
		default:
			return buffer
		}
	}
	return buffer
}

// today is what the running day (UTC) has written and left out.
type today struct {
	day     string
	bytes   int64
	leftOut int64
}

// add puts a line behind others, as long as the day has bytes left. The line
// that is the first beyond them is replaced by one that says so, and the next
// day begins with their number.
func (l *Logger) add(buffer, line []byte) []byte {
	now, settings := time.Now(), l.settings.Load()
	if day := now.UTC().Format(dayForm); day != l.today.day {
		last := l.today
		l.today = today{day: day}
		if l.mode == "file" {
			l.today.bytes = l.files.size(now)
		}
		if last.leftOut > 0 {
			l.log.Warn("access log lines were left out: the day had no bytes left", "day", last.day, "lines", last.leftOut)
			buffer = l.put(buffer, note(netip.Addr{}, "%d lines of %s were left out", last.leftOut, last.day).line(settings))
		}
	}
	if settings.DayBytes == 0 || l.today.bytes+int64(len(line)) <= settings.DayBytes {
		return l.put(buffer, line)
	}
	if l.today.leftOut == 0 {
		l.log.Warn("the access log has no bytes left for today; further lines are counted, not written", "bytes", settings.DayBytes)
		buffer = l.put(buffer, note(netip.Addr{}, "the %d bytes of this day are used up; further lines are left out", settings.DayBytes).line(settings))
	}
	l.today.leftOut++
	l.overfull.Add(1)
	return buffer
}

func (l *Logger) put(buffer, line []byte) []byte {
	l.today.bytes += int64(len(line))
	return append(buffer, line...)
}

func (l *Logger) flush(buffer []byte) {
	if len(buffer) == 0 {
		return
	}
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
