import "./map/element";
import "./desk/element";
