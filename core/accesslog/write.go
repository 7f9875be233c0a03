package accesslog

import (
	"net/netip"
	"time"
)

// pause is the least time between two writes when lines come slower than they are
// written: a flood of refusals must not wake the disk for each. The buffer holds
// more lines than come in that time.
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

// rest waits for the pause, or until the logger stops.
func (l *Logger) rest() {
	select {
	case <-time.After(pause):
	case <-l.stop:
	}
}

// gather adds the lines that are already waiting: under load one write serves many
// lines, otherwise each is written at once.
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

// today counts what the current day (UTC) has written and dropped.
type today struct {
	day     string
	bytes   int64
	leftOut int64
}

// add appends a line as long as the day has bytes left. The first line beyond them
// is replaced by one that says so, and the next day begins with their number.
func (l *Logger) add(buffer, line []byte) []byte {
	now, settings := time.Now(), l.settings.Load()
	if day := now.UTC().Format(dayForm); day != l.today.day {
		last := l.today
		l.today = today{day: day}
		if l.mode == "file" {
			l.today.bytes = l.files.size(now)
		}
		if last.leftOut > 0 {
			l.log.Warn("access log lines were dropped: the day's log reached access_log_day_size", "day", last.day, "lines", last.leftOut)
			buffer = l.put(buffer, note(netip.Addr{}, "%d lines of %s were dropped", last.leftOut, last.day).line(settings))
		}
	}
	if settings.DayBytes == 0 || l.today.bytes+int64(len(line)) <= settings.DayBytes {
		return l.put(buffer, line)
	}
	if l.today.leftOut == 0 {
		l.log.Warn("today's access log has reached access_log_day_size; further lines are counted, not written", "bytes", settings.DayBytes)
		buffer = l.put(buffer, note(netip.Addr{}, "the limit of %d bytes for this day is reached; further lines are dropped", settings.DayBytes).line(settings))
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
			l.log.Warn("writing the access log failed; lines are dropped until it works again", "error", err)
		} else {
			l.log.Info("writing the access log works again")
		}
	}
}
