package main

import (
	"fmt"

	eventsv1 "antiphon.example/converse/stubs/antiphon/events/v1"
)

// place is where a reader is in a conversation's log. It moves forward as frames come, and lets
// nothing be missed or come twice.
type place struct {
	scope  string
	cursor string
	first  int64
	offset int64 // of the last event taken; 0 before the first
}

// gap says that events are missing: a defect that nobody may overlook.
type gap struct{ expected, found int64 }

func (g gap) Error() string {
	return fmt.Sprintf("GAP: expected the event at offset %d, got the one at %d", g.expected, g.found)
}

// watch asks for all from the log's beginning, or for what follows the cursor.
func (p *place) watch() *eventsv1.Watch {
	earliest := eventsv1.StartPosition_START_POSITION_EARLIEST
	return &eventsv1.Watch{WatchId: "1", Scope: p.scope, Cursor: p.cursor, Start: earliest}
}

// take returns a batch's new events, in order.
func (p *place) take(batch *eventsv1.EventBatch) ([]*eventsv1.Event, error) {
	var fresh []*eventsv1.Event
	for _, event := range batch.Events {
		isNew, err := p.isNew(event)
		if err != nil {
			return nil, err
		}
		if isNew {
			fresh = append(fresh, event)
		}
	}
	p.cursor = batch.Cursor
	return fresh, nil
}

// isNew checks that an event begins right after the last one. After a fold it may begin before
// that, and end behind it.
func (p *place) isNew(event *eventsv1.Event) (bool, error) {
	if event.Ephemeral {
		return true, nil
	}
	if event.LastOffset <= p.offset {
		return false, nil
	}
	if p.offset == 0 {
		p.first = event.FirstOffset
	} else if event.FirstOffset > p.offset+1 {
		return false, gap{p.offset + 1, event.FirstOffset}
	}
	p.offset = event.LastOffset
	return true, nil
}

// text counts a message's bytes, put together from pieces that may come twice, or folded into
// the whole message.
type text struct{ length int64 }

// append returns what a piece adds; position counts bytes of UTF-8.
func (t *text) append(position int64, piece string) string {
	if position > t.length { // its beginning is folded: the message follows
		return ""
	}
	fresh := piece[min(t.length-position, int64(len(piece))):]
	t.length += int64(len(fresh))
	return fresh
}
