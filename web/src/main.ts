import "./map/element";
import "./desk/element";
import "./door/element";
