package main

import (
	"context"
	"slices"
	"time"

	pb "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
)

// kept is how long of a lease a turn is worked on without a beat that names it.
const kept = 0.8

// turn is worked on. It outlives streams: what it says is kept until it is stored.
type turn struct {
	*pb.Assign // of its newest attempt
	said       int64
	unstored   []*pb.WorkRequest // outputs, and at last the finish
	stream     pb.WorkerService_WorkClient
	renewed    time.Time
	stop       context.CancelFunc
}

// assigned begins a turn, or goes on under a new fence: what is not stored is said again.
func (w *worker) assigned(stream pb.WorkerService_WorkClient, assign *pb.Assign) {
	t := w.turns[assign.TurnId]
	if assign.Held && t == nil {
		decline := &pb.Decline{TurnId: assign.TurnId, Fence: assign.Fence, Reason: "it was let go of"}
		_ = stream.Send(&pb.WorkRequest{Frame: &pb.WorkRequest_Decline{Decline: decline}})
		return
	}
	if !assign.Held {
		if t != nil {
			t.stop()
		}
		ctx, stop := context.WithCancel(context.Background())
		t = &turn{said: assign.Sequence, stop: stop}
		w.turns[assign.TurnId] = t
		go w.work(ctx, t, assign)
	}
	t.Assign, t.stream, t.renewed = assign, stream, time.Now()
	t.stored(assign.Sequence)
	for _, frame := range t.unstored {
		t.send(frame)
	}
}

// work says what the expert says, piece by piece.
func (w *worker) work(ctx context.Context, t *turn, assign *pb.Assign) {
	var text string
	for _, part := range assign.Parts {
		text += part.GetText()
	}
	already := assign.Text // by an earlier attempt
	for piece := range aligned(text) {
		fresh := piece[min(len(already), len(piece)):]
		already = already[len(piece)-len(fresh):]
		if fresh != "" && !w.say(ctx, t, fresh) {
			return
		}
	}
	w.say(ctx, t, "")
}

// say appends to the answer once there is room for it, or ends the turn; false if that is over.
func (w *worker) say(ctx context.Context, t *turn, text string) bool {
	for {
		time.Sleep(w.pause)
		w.lock.Lock()
		if time.Since(t.renewed) > time.Duration(kept*float64(w.terms.Lease.AsDuration())) {
			w.drop(t.TurnId, t.Fence)
		}
		switch {
		case ctx.Err() != nil:
		case text == "":
			t.keep(&pb.WorkRequest{Frame: &pb.WorkRequest_Finish{Finish: &pb.Finish{Sequence: t.said}}})
		case len(t.unstored) < int(w.terms.MaxUnacknowledged):
			t.said++
			output := &pb.Output{Sequence: t.said, Step: &pb.Output_Text{Text: text}}
			t.keep(&pb.WorkRequest{Frame: &pb.WorkRequest_Output{Output: output}})
		default:
			w.lock.Unlock()
			time.Sleep(10 * time.Millisecond)
			continue
		}
		w.lock.Unlock()
		return ctx.Err() == nil
	}
}

// drop ends what has ended or is somebody else's: nothing more is said of it.
func (w *worker) drop(id string, fence int32) {
	if t := w.turns[id]; t != nil && t.Fence == fence {
		t.stop()
		delete(w.turns, id)
	}
}

func (t *turn) keep(frame *pb.WorkRequest) {
	t.unstored = append(t.unstored, frame)
	t.send(frame)
}

func (t *turn) send(frame *pb.WorkRequest) {
	switch frame := frame.Frame.(type) {
	case *pb.WorkRequest_Output:
		frame.Output.TurnId, frame.Output.Fence = t.TurnId, t.Fence
	case *pb.WorkRequest_Finish:
		frame.Finish.TurnId, frame.Finish.Fence = t.TurnId, t.Fence
	}
	_ = t.stream.Send(frame) // where that has broken, the next one has the frame again
}

func (t *turn) stored(sequence int64) {
	t.unstored = slices.DeleteFunc(t.unstored, func(frame *pb.WorkRequest) bool {
		return frame.GetOutput() != nil && frame.GetOutput().Sequence <= sequence
	})
}
