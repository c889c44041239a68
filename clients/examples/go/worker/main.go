// Serves the handler "tables": go run ./worker. `antiphon workers invite tables` prints what to set:
// ANTIPHON_ADDRESS and ANTIPHON_API_KEY. PAUSE_MS before each piece shows them coming.
package main

import (
	"context"
	"crypto/rand"
	"log"
	"maps"
	"os"
	"slices"
	"time"

	"antiphon.example/converse/session"
	pb "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
)

// worker is one life of this process, on one stream after the other.
type worker struct {
	*session.Streams[pb.WorkRequest, pb.WorkResponse]
	id    string
	terms *pb.Welcome // how the server wants to be worked with
	turns map[string]*turn
}

// turn is worked on, on one stream. On the next one the expert begins anew and says the same again; what
// is stored of that is left out. An expert that would say something else has to keep what it said.
type turn struct {
	*pb.Assign                    // Sequence is the number of the newest output that is stored
	unstored   chan struct{}      // has one for each output behind that
	stop       context.CancelFunc // ends the work
}

func main() {
	connection, caller, err := session.Dial()
	if err != nil {
		log.Fatal(err)
	}
	w := &worker{id: "worker_" + rand.Text(), turns: map[string]*turn{}}
	w.Streams = session.NewStreams(caller, pb.NewWorkerServiceClient(connection).Work, w.opening, w.take)
	log.Fatal(session.Described(w.Run(context.Background())))
}

// opening is the hello, with the turns that it comes back with.
func (w *worker) opening() []*pb.WorkRequest {
	handlers := []*pb.OfferedHandler{{Name: "tables", Description: "Aligns the columns of tables in Markdown.", Examples: examples}}
	hello := &pb.Hello{WorkerId: w.id, Deployment: "tables", Version: "1", Handlers: handlers, Slots: 4}
	for id, t := range w.turns {
		said := t.Sequence + int64(len(t.unstored))
		hello.Held = append(hello.Held, &pb.HeldTurn{TurnId: id, ConversationId: t.ConversationId, Fence: t.Fence, Sequence: said})
	}
	return []*pb.WorkRequest{session.Framed[pb.WorkRequest](hello)}
}

// take is called with one frame after the other: so turns need no lock.
func (w *worker) take(stream context.Context, message session.Message) error {
	switch frame := message.(type) {
	case *pb.Welcome:
		w.terms = frame
		w.Silence = frame.Lease.AsDuration() * 4 / 5 // then turns may be others', and their work ends
		w.beat(stream)
		log.Print("connected: tables is served")
	case *pb.Beat:
		w.beat(stream)
	case *pb.Assign:
		w.drop(frame.TurnId, 0)
		ctx, stop := context.WithCancel(stream)
		w.turns[frame.TurnId] = &turn{frame, make(chan struct{}, w.terms.MaxUnacknowledged), stop}
		w.Send(stream, &pb.Accept{TurnId: frame.TurnId, Fence: frame.Fence})
		go w.work(ctx, w.turns[frame.TurnId], frame.Sequence)
	case *pb.Ack:
		for t := w.turns[frame.TurnId]; t != nil && t.Sequence < frame.Sequence; t.Sequence++ {
			<-t.unstored
		}
		if frame.Finished {
			w.drop(frame.TurnId, frame.Fence)
		}
	case *pb.Cancel:
		w.drop(frame.TurnId, frame.Fence)
	case *pb.Revoke:
		w.drop(frame.TurnId, frame.Fence)
	case *pb.Rejected:
		log.Printf("not taken: %s", frame.Error.GetMessage())
	}
	return nil
}

// beat says in a while that this lives, and which turns it has; a beat answers it.
func (w *worker) beat(stream context.Context) {
	heartbeat := &pb.Heartbeat{TurnIds: slices.Collect(maps.Keys(w.turns))}
	time.AfterFunc(w.terms.Heartbeat.AsDuration(), func() { w.Send(stream, heartbeat) })
}

// drop ends what has ended or is somebody else's; no fence is any fence.
func (w *worker) drop(id string, fence int32) {
	if t := w.turns[id]; t != nil && (fence == t.Fence || fence == 0) {
		t.stop()
		delete(w.turns, id)
	}
}

// work says what the expert says, piece by piece, but for what is stored. t.Type and t.Metadata say more.
func (w *worker) work(ctx context.Context, t *turn, stored int64) {
	pause, _ := time.ParseDuration(os.Getenv("PAUSE_MS") + "ms")
	number := int64(0)
	for piece := range tables(session.TextOf(t.Parts)) {
		if number++; number <= stored {
			continue
		}
		time.Sleep(pause)
		select {
		case <-ctx.Done():
			return
		case t.unstored <- struct{}{}: // there is room
		}
		w.Send(ctx, &pb.Output{TurnId: t.TurnId, Fence: t.Fence, Sequence: number, Step: &pb.Output_Text{Text: piece}})
	}
	w.Send(ctx, &pb.Finish{TurnId: t.TurnId, Fence: t.Fence, Sequence: number})
}
