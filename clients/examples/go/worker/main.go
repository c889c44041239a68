// Serves the handler "tables": go run ./worker. `antiphon workers invite tables` prints what to set:
// ANTIPHON_ADDRESS and ANTIPHON_API_KEY. PAUSE_MS before each piece shows them coming.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"antiphon.example/converse/session"
	pb "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
)

// worker is one life of this process; the lock is for its turns, and for sending.
type worker struct {
	lock  sync.Mutex
	turns map[string]*turn
	hello *pb.Hello
	terms *pb.Welcome
	hold  time.Duration // before the next stream
	pause time.Duration // before each piece
}

func main() {
	connection, err := session.Dial(cmp.Or(os.Getenv("ANTIPHON_ADDRESS"), "localhost:7450"))
	if err != nil {
		log.Fatal(err)
	}
	handlers := []*pb.OfferedHandler{{Name: "tables", Description: "Aligns the columns of tables in Markdown."}}
	hello := &pb.Hello{WorkerId: "worker_" + rand.Text(), Deployment: "tables", Handlers: handlers, Slots: 4}
	pause, _ := strconv.Atoi(os.Getenv("PAUSE_MS"))
	w := &worker{turns: map[string]*turn{}, hello: hello, pause: time.Duration(pause) * time.Millisecond}
	err = session.Forever(connection, func(ctx context.Context) (time.Duration, error) {
		err := w.stream(ctx, pb.NewWorkerServiceClient(connection))
		return w.hold, err
	})
	log.Fatal(session.Described(err))
}

// stream is one, until it breaks.
func (w *worker) stream(ctx context.Context, client pb.WorkerServiceClient) error {
	stream, err := client.Work(ctx)
	if err != nil {
		return err
	}
	w.lock.Lock()
	w.hello.Held, w.hold = nil, 0
	for _, t := range w.turns {
		held := &pb.HeldTurn{TurnId: t.TurnId, ConversationId: t.ConversationId, Fence: t.Fence, Sequence: t.said}
		w.hello.Held = append(w.hello.Held, held)
	}
	_ = stream.Send(&pb.WorkRequest{Frame: &pb.WorkRequest_Hello{Hello: w.hello}})
	w.lock.Unlock()
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		w.take(stream, response)
	}
}

func (w *worker) take(stream pb.WorkerService_WorkClient, response *pb.WorkResponse) {
	w.lock.Lock()
	defer w.lock.Unlock()
	switch frame := response.Frame.(type) {
	case *pb.WorkResponse_Welcome:
		w.terms = frame.Welcome
		go w.beat(stream)
		log.Print("connected: tables is served")
	case *pb.WorkResponse_Assign:
		w.assigned(stream, frame.Assign)
	case *pb.WorkResponse_Ack:
		if frame.Ack.Finished {
			w.drop(frame.Ack.TurnId, frame.Ack.Fence)
		} else if t := w.turns[frame.Ack.TurnId]; t != nil {
			t.stored(frame.Ack.Sequence)
		}
	case *pb.WorkResponse_Cancel:
		w.drop(frame.Cancel.TurnId, frame.Cancel.Fence)
	case *pb.WorkResponse_Revoke:
		w.drop(frame.Revoke.TurnId, frame.Revoke.Fence)
	case *pb.WorkResponse_Beat:
		for _, id := range frame.Beat.TurnIds {
			if t := w.turns[id]; t != nil {
				t.renewed = time.Now()
			}
		}
	case *pb.WorkResponse_Draining:
		w.hold = frame.Draining.ReconnectAfter.AsDuration()
	case *pb.WorkResponse_Rejected:
		log.Printf("not taken: %s", frame.Rejected.Error.GetMessage())
	}
}

// beat says that this lives, and which turns it has, until the stream breaks.
func (w *worker) beat(stream pb.WorkerService_WorkClient) {
	for range time.Tick(w.terms.Heartbeat.AsDuration()) {
		w.lock.Lock()
		heartbeat := &pb.Heartbeat{}
		for id, t := range w.turns {
			if t.stream == stream {
				heartbeat.TurnIds = append(heartbeat.TurnIds, id)
			}
		}
		err := stream.Send(&pb.WorkRequest{Frame: &pb.WorkRequest_Heartbeat{Heartbeat: heartbeat}})
		w.lock.Unlock()
		if err != nil {
			return
		}
	}
}
